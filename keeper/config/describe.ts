// The configuration for people: everything that is in force, without anything that must not be seen.
import type { Config } from "./load";
import { redactUrl } from "./redact";

/** Plain JSON of the configuration in force; URLs without credentials, paths and queries; amounts as decimal strings. */
export function describeConfig(config: Config): Record<string, unknown> {
  return {
    file: config.file,
    dataDir: config.dataDir,
    chain: { ...config.chain, rpcUrls: config.chain.rpcUrls.map(redactUrl) },
    addresses: config.addresses,
    keeper: config.keeper,
    relayAuth: config.relayAuth,
    relays: config.relays.map((relay) => ({ ...relay, url: redactUrl(relay.url) })),
    bundle: config.bundle,
    fees: {
      maxFeePerGas: config.fees.maxFeePerGas.toString(),
      maxPriorityFeePerGas: config.fees.maxPriorityFeePerGas.toString(),
      gasLimit: config.fees.gasLimit.toString(),
    },
    limits: { ...config.limits, maxFeePerGas: config.limits.maxFeePerGas.toString() },
    risk: config.risk,
    forecast: config.forecast,
    collect: describeCollect(config.collect),
    serve: config.serve,
    database:
      config.database.kind === "embedded" ? { kind: "embedded" } : { kind: "url", url: redactUrl(config.database.url) },
    log: config.log,
  };
}

function describeCollect({ theGraph, defiLlama, ...rest }: Config["collect"]): Record<string, unknown> {
  return {
    ...rest,
    theGraph: theGraph === undefined ? null : { ...theGraph, url: redactUrl(theGraph.url) },
    defiLlama:
      defiLlama === undefined
        ? null
        : { ...defiLlama, yieldsUrl: redactUrl(defiLlama.yieldsUrl), apiUrl: redactUrl(defiLlama.apiUrl) },
  };
}
