// A protocol's score from what is known of it: 0 (do not touch) to 100 (as safe as such things get). Seven parts with fixed
// weights; a part that is not known counts as `UNKNOWN`, for a keeper that lacks a fact must not take it for a good one.
// Weights and marks are a judgement, written down so that it can be argued with; nothing here was fitted.
import { dayAt, type Incident, type Protocol } from "./protocolFile";

/** Weights of the parts; they add up to 100. */
export const WEIGHTS = {
  tvl: 15,
  audits: 20,
  age: 20,
  incidents: 20,
  oracle: 10,
  governance: 10,
  upgradeability: 5,
} as const;

export type ScorePart = keyof typeof WEIGHTS;

/** What a part that nobody knows is worth. */
export const UNKNOWN = 20;

const YEAR = 365 * 86_400;

/** Depth of 1 M USD or less is no record at all, of 1 bn a full one. By the logarithm between. */
const TVL = { none: 1e6, full: 1e9 } as const;
/** Audits by so many independent firms say all that audits can. */
const FULL_AUDITS = 4;
/** Years of money at stake after which age says no more. */
const FULL_YEARS = 4;
/** What an incident takes when it happens; half of it two years later. */
const TAKES: Readonly<Record<Incident["severity"], number>> = {
  "nobody-lost": 10,
  "beside-the-venue": 15,
  "made-whole": 30,
  "depositors-lost": 60,
};
const HALF_LIFE_YEARS = 2;
/** What happened since the file was researched is not known: it takes so many points a year, up to the most. */
const SILENCE_A_YEAR = 10;
const MOST_SILENCE = 30;
const ORACLE = { none: 100, "several-providers": 90, "one-provider": 60, "by-market": 30 } as const;
const UPGRADEABILITY = { none: 100, "by-governance": 50, "by-key": 0 } as const;
/** Least and most by who decides; the most once changes wait for `FULL_DELAY_HOURS`. */
const GOVERNANCE = {
  nobody: [100, 100],
  vote: [40, 100],
  curator: [20, 70],
  multisig: [10, 60],
  "one-key": [0, 30],
} as const;
const FULL_DELAY_HOURS = 72;

export interface ProtocolScore {
  /** Null: no protocol is known for the venue. */
  readonly id: string | null;
  /** 0 to 100, one decimal. */
  readonly score: number;
  /** Each 0 to 100; null where it is not known and counts as {@link UNKNOWN}. */
  readonly parts: Readonly<Record<ScorePart, number | null>>;
  /** In words, for the table. */
  readonly unknown: readonly ScorePart[];
}

/** @param at Unix seconds: age and how long ago things happened are counted from here. */
export function scoreProtocol(protocol: Protocol | null, at: number): ProtocolScore {
  const parts = protocol === null ? NOTHING_KNOWN : partsOf(protocol, at);
  const names = Object.keys(WEIGHTS) as ScorePart[];
  const sum = names.reduce((total, name) => total + WEIGHTS[name] * (parts[name] ?? UNKNOWN), 0);
  return {
    id: protocol?.id ?? null,
    score: oneDecimal(sum / 100),
    parts,
    unknown: names.filter((name) => parts[name] === null),
  };
}

const NOTHING_KNOWN: ProtocolScore["parts"] = {
  ...{ tvl: null, audits: null, age: null, incidents: null },
  ...{ oracle: null, governance: null, upgradeability: null },
};

function partsOf(protocol: Protocol, at: number): ProtocolScore["parts"] {
  const part = <T>(value: T | null, mark: (value: T) => number): number | null =>
    value === null ? null : oneDecimal(100 * share(mark(value) / 100));
  return {
    tvl: part(protocol.tvlUsd.value, (usd) => {
      const span = Math.log(TVL.full / TVL.none);
      return usd <= TVL.none ? 0 : (100 * Math.log(usd / TVL.none)) / span;
    }),
    audits: part(protocol.audits.value, (firms) => (100 * firms) / FULL_AUDITS),
    age: part(protocol.since.value, (since) => (100 * (at - dayAt(since))) / YEAR / FULL_YEARS),
    incidents: part(protocol.incidents.value, (list) => incidentMark(list, protocol.researchedTo, at)),
    oracle: part(protocol.oracle.value, (kind) => ORACLE[kind]),
    governance: part(protocol.governance.value, ({ kind, delayHours }) => {
      const [least, most] = GOVERNANCE[kind];
      return least + (most - least) * share(delayHours / FULL_DELAY_HOURS);
    }),
    upgradeability: part(protocol.upgradeability.value, (kind) => UPGRADEABILITY[kind]),
  };
}

function incidentMark(incidents: readonly Incident[], researchedTo: string, at: number): number {
  // What had not happened by then says nothing of then.
  const happened = incidents.filter(({ date }) => dayAt(date) <= at);
  const taken = happened.reduce((sum, { date, severity }) => {
    const years = (at - dayAt(date)) / YEAR;
    return sum + TAKES[severity] * 2 ** (-years / HALF_LIFE_YEARS);
  }, 0);
  const silence = (Math.max(0, at - dayAt(researchedTo)) / YEAR) * SILENCE_A_YEAR;
  return 100 - taken - Math.min(MOST_SILENCE, silence);
}

/** Into [0, 1]. */
export function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** Scores are read by people, and a record should not hold digits that mean nothing. */
export function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10;
}
