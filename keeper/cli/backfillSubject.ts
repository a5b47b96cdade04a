// What `tiller backfill` is of: the events of a pool, or the sweeps of a grid.
import { isAddress } from "ethers";
import type { Chain } from "../chain/connect";
import { sweepKey, type HistoricSweep } from "../collect/historicSweep";
import { parsedGrid, type SweepGrid } from "../collect/sweepGrid";
import { SWEEP } from "../collect/sweepRecord";
import { InputFailure } from "../config/failure";
import type { BackfillKey } from "../store/historyRecords";
import { malformed, required } from "./optionValues";

export type BackfillSubject =
  { readonly kind: "pool"; readonly pool: string } | { readonly kind: "sweep"; readonly grid: SweepGrid };

/** @throws InputFailure `OPTION_MISSING`, `OPTION_MALFORMED`, `POOL_MALFORMED`. */
export function backfillSubject(
  source: string,
  options: { readonly pool?: string; readonly every?: string },
): BackfillSubject {
  const { pool, every } = options;
  if (source !== SWEEP) {
    if (every !== undefined) throw malformed("is of sweeps", "--every", "Leave it out: events are collected all.");
    return { kind: "pool", pool: poolAddress(required(pool, "--pool", "Name the pool's address.")) };
  }
  if (pool !== undefined) throw malformed("is of events", "--pool", "Leave it out: a sweep reads all sources.");
  const grid = parsedGrid(required(every, "--every", "Write seconds (300s) or blocks (25b)."));
  if (grid !== null) return { kind: "sweep", grid };
  throw malformed("is no grid", "--every", "Write seconds (300s) or blocks (25b).");
}

/** @throws InputFailure `POOL_NO_CONTRACT`, `NOTHING_TO_SWEEP`; as `Chain.request`. */
export async function keyOf(
  chain: Chain,
  source: string,
  of: { readonly subject: BackfillSubject; readonly swept: () => HistoricSweep["sources"] },
): Promise<BackfillKey> {
  const { subject } = of;
  switch (subject.kind) {
    case "pool":
      await requireContract(chain, subject.pool);
      return { chainId: chain.chainId, source, subject: subject.pool };
    case "sweep": {
      const swept = of.swept();
      if (swept.length > 0) return sweepKey(chain.chainId, subject.grid, swept);
      throw new InputFailure("NOTHING_TO_SWEEP", "names no source of this chain", {
        field: "collect.targets",
        remedy: "Name some in the config, or leave out --chain to sweep the deployment's venues.",
      });
    }
  }
}

/** An address without code gives no events, which must not be taken for a quiet pool. */
async function requireContract(chain: Chain, pool: string): Promise<void> {
  const code = await chain.request("eth_getCode", [pool, "latest"]);
  if (code !== "0x") return;
  throw new InputFailure("POOL_NO_CONTRACT", `there is no contract at this address of chain ${chain.chainId}`, {
    field: "--pool",
    remedy: "Name the pool's address on this chain.",
  });
}

function poolAddress(text: string): string {
  if (isAddress(text)) return text.toLowerCase();
  throw new InputFailure("POOL_MALFORMED", "is not an address (or its checksum is wrong)", {
    field: "--pool",
    remedy: "Write 0x and 40 hex digits.",
  });
}
