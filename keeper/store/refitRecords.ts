// Rows of refits, and the repository that keeps them. Times are unix seconds.

/** `stopped`: told to, which is nobody's fault; `abandoned`: its process was gone before it ended. */
export type RefitEnd = "done" | "failed" | "stopped" | "abandoned";

export interface RefitRow {
  readonly id: string;
  readonly begunAt: number;
  readonly endedAt: number | null;
  readonly outcome: "running" | RefitEnd;
  /** Of the model that it gave. */
  readonly hash: string | null;
  /** Of a failure. */
  readonly reason: string | null;
}

/** Every method is one transaction. */
export interface RefitStore {
  /**
   * For whoever holds the lock (`Store.tryRefit`): what is running still is of a process that is gone, and is abandoned by this.
   * @returns its id.
   */
  begin(chainId: number): Promise<string>;
  /** Nothing happens where it has ended. */
  end(
    id: string,
    end:
      | { readonly outcome: "done"; readonly hash: string }
      | { readonly outcome: "failed" | "stopped"; readonly reason: string },
  ): Promise<void>;
  /** Newest first. */
  list(chainId: number, limit: number): Promise<RefitRow[]>;
}
