// The price feeds that the vault itself leans on: those that its breaker's conditions and its pools' adapters ask, as they
// name them. Read like any other feed (chainlink.ts).
import { AbiCoder } from "ethers";
import { readAtBlock } from "../chain/blockReads";
import type { Chain } from "../chain/connect";
import type { Head } from "../chain/heads";
import type { AddressFile } from "../config/addressFile";
import { Questions, askIfThere, type Answer } from "./questions";
import type { ContractCall } from "./reading";
import { answersOf } from "./sweep";

export interface VaultFeed {
  /** By the feed's own description: `usdc-usd` of "USDC / USD"; its address where it has none. */
  readonly subject: string;
  readonly feed: string;
  /** The strictest of those that ask it. */
  readonly heartbeatSeconds: number;
  /** Ids of the venues whose adapter asks it. */
  readonly venues: readonly string[];
  /** Of the vault's own asset. */
  readonly ofAsset: boolean;
}

interface Asked {
  readonly feed: string;
  readonly heartbeatSeconds: number;
  /** Null: a condition of the breaker. */
  readonly venue: string | null;
  /** As who asks it has it; said by the feed's own description where it has one. */
  readonly ofAsset: boolean;
}

const SOURCE = "chainlink";
const DESCRIPTION = "0x7284e416";
/** A string of up to 64 bytes. */
const DESCRIPTION_BYTES = 128;
const THREE_POOL_PLACES = [0, 1, 2];

/** Each feed once. @throws as `readAtBlock`; a contract without the getters, as of an older version, names no feed. */
export async function locateFeeds(chain: Chain, head: Head, addresses: AddressFile): Promise<VaultFeed[]> {
  const sources = [
    ...(addresses.conditions ?? [])
      .filter(({ kind }) => kind === "oracle-trouble")
      .map(({ id, condition }) => askersOf(id, null, [{ ...named(condition, "feed", "heartbeat"), ofAsset: true }])),
    ...addresses.adapters.flatMap(({ id, kind, adapter }) => {
      if (kind === "curve-3pool") {
        return [
          askersOf(
            id,
            id,
            THREE_POOL_PLACES.map((place) => placed(adapter, place)),
          ),
        ];
      }
      if (kind !== "uniswap-v3") return [];
      const asset = { ...named(adapter, "assetFeed", "assetHeartbeat"), ofAsset: true };
      return [askersOf(id, id, [asset, named(adapter, "pairedFeed", "pairedHeartbeat")])];
    }),
  ];
  const { answers } = await readAtBlock(
    chain,
    head,
    sources.flatMap(({ calls }) => calls),
  );
  let from = 0;
  const asked = sources.flatMap(({ of, calls, read }) =>
    read(answersOf(of, calls, answers.slice(from, (from += calls.length)))),
  );
  return described(chain, head, { asked, symbol: addresses.asset.symbol });
}

interface FeedQuestion {
  readonly feed: ReturnType<typeof askIfThere>;
  readonly heartbeat: ReturnType<typeof askIfThere>;
  readonly ofAsset?: boolean;
}

function named(to: string, feed: string, heartbeat: string): FeedQuestion {
  return {
    feed: askIfThere(to, `function ${feed}() view returns (address)`),
    heartbeat: askIfThere(to, `function ${heartbeat}() view returns (uint256)`),
  };
}

function placed(to: string, place: number): FeedQuestion {
  return {
    feed: askIfThere(to, "function feed(uint256) view returns (address)", [place]),
    heartbeat: askIfThere(to, "function heartbeat(uint256) view returns (uint256)", [place]),
  };
}

function askersOf(id: string, venue: string | null, pairs: readonly FeedQuestion[]) {
  const of = `${SOURCE} ${id}`;
  const questions = new Questions(
    of,
    Object.fromEntries(
      pairs.flatMap(({ feed, heartbeat }, k) => [
        [`feed${k}`, feed],
        [`heartbeat${k}`, heartbeat],
      ]),
    ),
  );
  return {
    of,
    calls: questions.calls,
    read: (answers: readonly (string | null)[]): Asked[] => {
      const read: Record<string, Answer | null> = questions.read(answers);
      return pairs.flatMap(({ ofAsset = false }, k) => {
        const [feed, heartbeat] = [read[`feed${k}`], read[`heartbeat${k}`]];
        return feed == null || heartbeat == null
          ? []
          : [{ feed: feed.address(), heartbeatSeconds: heartbeat.small(), venue, ofAsset }];
      });
    },
  };
}

async function described(
  chain: Chain,
  head: Head,
  { asked, symbol }: { readonly asked: readonly Asked[]; readonly symbol: string },
): Promise<VaultFeed[]> {
  const feeds = [...new Set(asked.map(({ feed }) => feed))];
  const calls = feeds.map((to): ContractCall => ({
    to,
    data: DESCRIPTION,
    answerBytes: DESCRIPTION_BYTES,
    optional: true,
  }));
  const { answers } = await readAtBlock(chain, head, calls);
  // A node that does not make this call, as of a recorded state, leaves the feed without a name, not without a price.
  const texts = answers.map((answer) => descriptionOf(answer.kind === "answered" ? answer.data : null));
  return feeds.map((feed, place) => {
    const askers = asked.filter((one) => one.feed === feed);
    const description = texts[place] ?? "";
    return {
      subject: description === "" ? feed : description.toLowerCase().replace(/[^a-z0-9]+/g, "-"),
      feed,
      heartbeatSeconds: Math.min(...askers.map(({ heartbeatSeconds }) => heartbeatSeconds)),
      venues: [...new Set(askers.flatMap(({ venue }) => venue ?? []))],
      ofAsset: description === "" ? askers.some(({ ofAsset }) => ofAsset) : description.startsWith(`${symbol} / `),
    };
  });
}

function descriptionOf(data: string | null): string {
  if (data === null) return "";
  try {
    return String(AbiCoder.defaultAbiCoder().decode(["string"], data)[0]);
  } catch {
    return "";
  }
}
