// `tiller breaker status`, `tiller breaker reset`: the keeper's own breaker. The vault's is the guardian's and the timelock's.
import { Command } from "commander";
import pc from "picocolors";
import { withStore } from "../app/withStore";
import { loadAddresses } from "../config/addresses";
import { InputFailure } from "../config/failure";
import { loadConfig, type Config } from "../config/load";
import { silent } from "../events/events";
import type { BreakerTrip, VaultKey } from "../store/breakerRecords";
import type { Store } from "../store/records";
import { confirm } from "./confirm";
import { required } from "./optionValues";
import { printJson, table } from "./printing";

interface BreakerOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Trips that status shows, open or not. */
const SHOWN = 20;

export function breakerCommand(): Command {
  const status = new Command("status")
    .description("whether the keeper has stopped itself, why, and what stopped it before")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action((options: BreakerOptions) =>
      withBreaker(options, async (store, of) => {
        const trips = await store.breaker.trips(of, SHOWN);
        const open = await store.breaker.open(of);
        if (options.json === true) printJson({ vault: of.vault, tripped: open.length > 0, open, trips });
        else process.stdout.write(describe(open, trips));
      }),
    );
  const reset = new Command("reset")
    .description("let the keeper decide again; what still holds trips it again at its next look")
    .option("--reason <text>", "why it may go on; kept with what is reset")
    .option("--yes", "do not ask")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action((options: BreakerOptions & { readonly reason?: string; readonly yes?: boolean }) =>
      withBreaker(options, async (store, of) => {
        const reason = required(options.reason, "--reason", "Say why the keeper may go on: it is kept.").trim();
        if (reason === "") {
          throw new InputFailure("OPTION_MALFORMED", "is empty", { field: "--reason", remedy: "Say why." });
        }
        const open = await store.breaker.open(of);
        if (open.length === 0) {
          throw new InputFailure("BREAKER_CLOSED", "the keeper's breaker has not tripped", {
            field: "reset",
            remedy: "Nothing to do; `tiller breaker status` shows what there was.",
          });
        }
        if (options.json !== true) process.stdout.write(`${describe(open, [])}\n`);
        await confirm({ what: "The keeper will move money again.", word: "reset", yes: options.yes === true });
        const done = await store.breaker.reset(of, reason);
        if (options.json === true) printJson({ vault: of.vault, reset: done });
        else process.stdout.write(`reset: ${done.map(({ cause }) => cause).join(", ")}\n`);
      }),
    );
  return new Command("breaker").description("the keeper's own breaker").addCommand(status).addCommand(reset);
}

function withBreaker(options: BreakerOptions, work: (store: Store, of: VaultKey) => Promise<void>): Promise<void> {
  const config: Config = loadConfig({ file: options.config, env: process.env, offline: true });
  const { chainId, vault } = loadAddresses(config.addresses);
  return withStore(config, silent, (store) => work(store, { chainId, vault }));
}

function describe(open: readonly BreakerTrip[], trips: readonly BreakerTrip[]): string {
  const state = open.length === 0 ? pc.green("closed") : pc.red("tripped");
  const rows = (trips.length === 0 ? open : trips).map((trip) => [
    trip.cause,
    new Date(trip.observedAt * 1_000).toISOString(),
    String(trip.blockNumber),
    trip.closes ? "closes all" : "",
    trip.resetAt === null ? "open" : `reset: ${trip.resetReason ?? ""}`,
    trip.detail,
  ]);
  const head = ["cause", "seen", "block", "", "state", "why"];
  return `the keeper's breaker is ${state}\n${rows.length === 0 ? "" : `\n${table(head, rows)}\n`}`;
}
