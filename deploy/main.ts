// `npm run deploy -- --network local|fork|mainnet …`. The node's URL is in RPC_URL; the key is in an environment
// variable (local chain and forks) or in a keystore, never on the command line.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseUnits, type BaseWallet, type HDNodeWallet } from "ethers";
import { z } from "zod";
import { printJson, table } from "../keeper/cli/printing";
import { InputFailure } from "../keeper/config/failure";
import { loadWallet } from "../keeper/config/keys";
import { endWith } from "./commandFailure";
import { deployVault } from "./deployVault";
import { localWallet } from "./networks/localWallet";
import { localRoles } from "./localDeployment";
import { localNetwork } from "./networks/local";
import { MAINNET, MAINNET_FORK } from "./networks/mainnet";
import type { NetworkParameters, Roles } from "./networks/network";
import { withNode } from "./rpc";
import type { DeploymentEvent } from "./transactions";

const USAGE = `Usage: RPC_URL=… npm run deploy -- --network local|fork|mainnet --addresses FILE [options]
  --addresses FILE      where the address file is written; run again with the same one to continue
  --owner ADDRESS       proposes to the timelock that owns the vault (a multisig)
  --guardian ADDRESS    may only make things safer, at once
  --keeper ADDRESS      may rebalance; may be repeated
  --seed AMOUNT         first deposit in whole units of the asset, paid by the deployer and burned
  --keystore FILE       encrypted key of the deployer, with --password-file FILE
  --key-variable NAME   environment variable with the deployer's key (default TILLER_DEPLOYER_KEY; not for mainnet)
  --protocols FILE      local chain: where its protocols are (default .tiller/localnet/protocols.json)
  --dry-run             send and write nothing, print what would be sent
  --json  --debug  --help
On the local chain and forks roles and key default to the accounts of deploy/networks/localAccounts.ts.`;

const OPTIONS = {
  network: { type: "string" },
  addresses: { type: "string" },
  protocols: { type: "string", default: ".tiller/localnet/protocols.json" },
  owner: { type: "string" },
  guardian: { type: "string" },
  keeper: { type: "string", multiple: true },
  seed: { type: "string" },
  keystore: { type: "string" },
  "password-file": { type: "string" },
  "key-variable": { type: "string" },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  debug: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

type Options = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

const protocolsSchema = z.object({
  tokens: z.object({ usdc: z.string(), usdt: z.string(), comp: z.string(), aave: z.string() }),
  feeds: z.object({ usdc: z.string(), usdt: z.string(), dai: z.string(), comp: z.string(), aave: z.string() }),
  aave: z.object({ pool: z.string() }),
  uniswap: z.object({ factory: z.string(), usdcUsdtPool: z.string() }),
  comet: z.string(),
  savings: z.string(),
  sky: z.object({ psmWrapper: z.string(), sUsds: z.string() }),
  threePool: z.object({ pool: z.string(), token: z.string() }),
});

function usage(field: string, problem: string, remedy: string): InputFailure {
  return new InputFailure("USAGE", problem, { field, remedy });
}

function networkOf(options: Options): NetworkParameters {
  switch (options.network) {
    case "mainnet":
      return MAINNET;
    case "fork":
      return MAINNET_FORK;
    case "local":
      return localNetwork(readProtocols(options.protocols ?? ""));
    default:
      throw usage("--network", "is not a network", "Name local, fork or mainnet.");
  }
}

function readProtocols(file: string): z.infer<typeof protocolsSchema> {
  if (!existsSync(file)) throw usage("--protocols", `there is no file ${file}`, "Start the local chain first.");
  try {
    return protocolsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw usage("--protocols", `${file} does not say where the protocols are`, "Start the local chain afresh.");
  }
}

/** Defaults hold away from mainnet only: everybody knows the local accounts' keys. */
function rolesOf(options: Options, network: NetworkParameters): Roles {
  const defaults = network.network === "mainnet" ? undefined : localRoles();
  const given = (name: "owner" | "guardian"): string => {
    const value = options[name] ?? defaults?.[name];
    if (value === undefined) throw usage(`--${name}`, "is not given", "Name the account.");
    return value;
  };
  const keepers = options.keeper ?? defaults?.keepers ?? [];
  return { owner: given("owner"), guardian: given("guardian"), keepers };
}

async function deployerOf(options: Options, network: NetworkParameters): Promise<BaseWallet | HDNodeWallet> {
  const at = { ...network, field: "deployer" };
  const variable = options["key-variable"] ?? "TILLER_DEPLOYER_KEY";
  if (options.keystore !== undefined) {
    const passwordFile = options["password-file"];
    if (passwordFile === undefined) throw usage("--password-file", "is not given", "Name the file with the password.");
    return loadWallet({ kind: "keystore", file: options.keystore, passwordFile }, at, process.env);
  }
  const asked = options["key-variable"] !== undefined || process.env[variable] !== undefined;
  if (network.network !== "mainnet" && !asked) return localWallet("deployer");
  return loadWallet({ kind: "env", variable }, at, process.env);
}

function seedOf(options: Options, network: NetworkParameters): bigint {
  if (options.seed === undefined) return network.seed;
  try {
    const seed = parseUnits(options.seed, network.asset.decimals);
    if (seed > 0n) return seed;
  } catch {
    // Falls through to the same answer.
  }
  throw usage("--seed", `${options.seed} is no amount of ${network.asset.symbol}`, "Give something like 100 or 99.5.");
}

function say(event: DeploymentEvent): void {
  switch (event.kind) {
    case "step.planned":
      return console.log(
        `would send  ${event.step}  nonce ${event.nonce}${event.creates ? `  → ${event.creates}` : ""}`,
      );
    case "step.sent":
      return console.log(`sent        ${event.step}  ${event.hash}`);
    case "step.mined":
      return console.log(
        `block ${String(event.block).padEnd(5)} ${event.step}${event.creates ? `  → ${event.creates}` : ""}`,
      );
    case "adapters.again":
      return console.log(`again       ${event.reason}`);
    case "deployment.done":
      return console.log(
        event.sent === 0 ? "Everything was there: nothing was sent." : `${event.sent} transactions sent.`,
      );
    case "step.signed":
      return;
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({ args: [...argv], options: OPTIONS });
  if (options.help) return console.log(USAGE);
  const addressFile = options.addresses;
  if (addressFile === undefined) throw usage("--addresses", "is not given", "Name the file to be written.");
  const network = networkOf(options);
  const roles = rolesOf(options, network);
  const seed = seedOf(options, network);
  const wallet = await deployerOf(options, network);
  const addresses = await withNode(process.env, network.network, (provider) =>
    deployVault({
      signer: wallet.connect(provider),
      network,
      roles,
      addressFile,
      seed,
      dryRun: options["dry-run"],
      log: options.json ? undefined : say,
    }),
  );
  if (options.json) return printJson(addresses);
  const rows = [
    ["vault", addresses.vault],
    ["timelock", addresses.timelock],
    ["lens", addresses.lens],
    ...(addresses.auction === undefined ? [] : [["auction", addresses.auction.auction]]),
    ...addresses.adapters.map(({ id, adapter }) => [id, adapter]),
  ];
  console.log(`\n${table(["contract", "address"], rows)}`);
  if (!options["dry-run"])
    console.log(`\nWritten to ${addressFile}. Check it: npm run deploy:check -- --addresses ${addressFile}`);
}

const argv = process.argv.slice(2);
main(argv).catch((error: unknown) =>
  endWith(error, { json: argv.includes("--json"), debug: argv.includes("--debug") }),
);
