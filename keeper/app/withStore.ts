// The store of a configuration, for commands that need nothing else of the keeper.
import type { Config } from "../config/load";
import type { Sink } from "../events/events";
import { openStore } from "../store/open";
import type { Store } from "../store/records";

/** Opens the store of a configuration for one piece of work. */
export async function withStore<T>(config: Config, sink: Sink, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await storeOf(config, sink);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function storeOf(config: Config, sink: Sink): Promise<Store> {
  const databaseUrl = config.database.kind === "url" ? config.database.url : undefined;
  return openStore({ databaseUrl, dataDir: config.dataDir, sink });
}
