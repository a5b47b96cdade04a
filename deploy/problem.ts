// What a probe finds wrong with a venue.

export interface Problem {
  /** Follows the venue's address: "is no Comet". */
  readonly what: string;
  /** Which of the venue's parameters it is about; the venue's own address where there is none. */
  readonly part?: string;
  /** What to do, where it is not to correct the venue's address. */
  readonly remedy?: string;
}
