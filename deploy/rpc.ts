// The node of the deployment commands. Its URL may hold a credential: it comes from the environment and is never shown.
import { JsonRpcProvider } from "ethers";
import { InputFailure } from "../keeper/config/failure";

const LOCAL_RPC_URL = "http://127.0.0.1:8545";

/**
 * Calls `work` with a provider for `RPC_URL`, and closes it afterwards.
 * @throws InputFailure RPC_URL_MISSING, RPC_URL_MALFORMED
 */
export async function withNode<T>(
  env: Readonly<Record<string, string | undefined>>,
  network: "local" | "fork" | "mainnet",
  work: (provider: JsonRpcProvider) => Promise<T>,
): Promise<T> {
  const url = env["RPC_URL"] ?? (network === "mainnet" ? undefined : LOCAL_RPC_URL);
  if (url === undefined) {
    throw new InputFailure("RPC_URL_MISSING", "no node is given", {
      field: "RPC_URL",
      remedy: "Set the environment variable RPC_URL to the node's address.",
    });
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new InputFailure("RPC_URL_MALFORMED", "is not an http or https URL", {
      field: "RPC_URL",
      remedy: "Set it to something like https://host/path.",
    });
  }
  // No cache: a deployment asks for what has just changed. No batches: some nodes and replay servers refuse them.
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, batchMaxCount: 1 });
  try {
    return await work(provider);
  } finally {
    provider.destroy();
  }
}
