// Every check that can be made before a keeper runs, one after the other; none hides the ones after it.
import { checkDeployment } from "../chain/checkDeployment";
import { readLatestSnapshot } from "../chain/readSnapshot";
import { targetsOf } from "../collect/targets";
import { loadAddresses } from "../config/addresses";
import { Failure, InputFailure, WorldFailure } from "../config/failure";
import { loadKeeperWallet, loadRelayAuthWallet } from "../config/keys";
import type { Config } from "../config/load";
import { silent } from "../events/events";
import { chainOf, type Environment } from "./assemble";
import { withStore } from "./withStore";
import { unknownVenues } from "./knownVenues";
import { riskSources } from "./riskWatch";
import { TRAINER_PYTHON, checkTrainer } from "./trainer";

export interface CheckResult {
  readonly name: string;
  /** What was found, when all is well. */
  readonly detail: string;
  readonly failure: Failure | null;
}

/** Reads only; the one thing it may create is the relay identity and, for the embedded database, its folder. */
export async function checkConfig(config: Config, env: Environment): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const check = async <T>(name: string, work: () => Promise<{ value: T; detail: string }>): Promise<T | null> => {
    try {
      const { value, detail } = await work();
      results.push({ name, detail, failure: null });
      return value;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      results.push({ name, detail: "", failure: error });
      return null;
    }
  };

  const addresses = await check("address file", async () => {
    const value = loadAddresses(config.addresses);
    unknownVenues(config, value);
    riskSources(config, value);
    return { value, detail: `${value.network}, chain ${value.chainId}, vault ${value.vault}` };
  });
  if (addresses !== null) {
    await check("collected", async () => {
      const { sources, pools } = targetsOf(addresses, config.collect.targets, { assetUsd: config.limits.assetUsd });
      return { value: null, detail: `${sources.length} sources by sweep, ${pools.length} pools by their events` };
    });
    const account = await check("keeper key", async () => {
      const { address } = await loadKeeperWallet(config.keeper.key, addresses, env);
      return { value: address, detail: address };
    });
    await check("chain and vault", async () => {
      const chain = await chainOf(config, addresses, silent);
      try {
        await checkDeployment(chain, addresses);
        const keeper = account ?? addresses.keepers[0] ?? addresses.vault;
        const snapshot = await readLatestSnapshot(chain, { addresses, keeper });
        if (account !== null && !snapshot.isKeeper) throw notKeeper(account);
        return { value: snapshot, detail: `block ${snapshot.blockNumber}, ${snapshot.adapters.length} venues` };
      } finally {
        chain.close();
      }
    });
  }
  await check("database", () =>
    withStore(config, silent, async (store) => {
      await store.ping();
      return {
        value: null,
        detail: config.database.kind === "embedded" ? `embedded, in ${config.dataDir}` : "answers",
      };
    }),
  );
  const { everyDays, python = TRAINER_PYTHON } = config.forecast.refit;
  if (everyDays !== undefined) {
    await check("refits", async () => {
      await checkTrainer(python, new AbortController().signal);
      return { value: null, detail: `every ${everyDays} days, by ${python}` };
    });
  }
  await check("relay identity", async () => {
    const { address } = loadRelayAuthWallet(config.relayAuth, env);
    return { value: address, detail: address };
  });
  if (config.relays.length === 0) {
    await check("relays", () => {
      throw new InputFailure("NO_RELAY", "no relay is configured, and plans are never sent to the public pool", {
        field: "relays",
        remedy: "Name at least one, for example https://relay.flashbots.net.",
      });
    });
  }
  for (const [index, relay] of config.relays.entries()) {
    await check(`relay ${relay.name}`, () => reachable(relay, `relays[${index}].url`));
  }
  return results;
}

function notKeeper(account: string): InputFailure {
  return new InputFailure("KEY_NOT_KEEPER", `${account} is not a keeper of the vault now`, {
    field: "keeper.key",
    remedy: "Use a key that the vault knows, or have the timelock add this one (setKeeper).",
  });
}

/** Any HTTP answer will do: real relays refuse what is not signed, and that is an answer. */
async function reachable(
  relay: { readonly name: string; readonly url: string; readonly timeoutMs: number },
  field: string,
): Promise<{ value: null; detail: string }> {
  try {
    await fetch(relay.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
      signal: AbortSignal.timeout(relay.timeoutMs),
    });
    return { value: null, detail: "answers" };
  } catch (cause) {
    throw new WorldFailure("RELAY_UNREACHABLE", "nothing answers there", {
      field,
      remedy: "Check the URL and the network; relays that are gone can be taken out.",
      cause,
    });
  }
}
