// Puts a vault with its timelock, lens and adapters on a chain and opens it. The same code for the local chain, forks
// and mainnet. It may be interrupted anywhere and run again; when all is there, it sends nothing.
import { existsSync } from "node:fs";
import { getAddress, getCreateAddress, id as keccakOfText, ZeroAddress, type Provider, type Signer } from "ethers";
import { IERC20__factory, Vault__factory } from "../typechain-types";
import type { AddressFile } from "../keeper/config/addressFile";
import { loadAddresses } from "../keeper/config/addresses";
import { InputFailure, WorldFailure } from "../keeper/config/failure";
import { compareCode } from "./artifacts";
import { requireAuction } from "./auctionProbes";
import { identify } from "./chainIdentity";
import { inspect } from "./inspect";
import { Journal, journalFileOf, writeWhole } from "./journal";
import { adapter } from "./modules/adapters";
import { auction } from "./modules/auction";
import { condition } from "./modules/conditions";
import { creationData, librariesFor, type Creation } from "./modules/creation";
import { lens } from "./modules/lens";
import { timelock } from "./modules/timelock";
import { opening, vault, vaultConfiguration } from "./modules/vault";
import type { NetworkParameters, Roles } from "./networks/network";
import { checkedRoles } from "./roles";
import {
  LiveTransactions,
  NonceTaken,
  PlannedTransactions,
  type DeploymentEvent,
  type Transactions,
} from "./transactions";
import { requireAsset, requireVenue } from "./venueProbes";

export interface DeployOptions {
  /** Connected to a provider; signs without sending (a wallet, a keystore, an HSM). */
  readonly signer: Signer;
  readonly network: NetworkParameters;
  readonly roles: Roles;
  /** Where the address file is written when all is done; the journal lies beside it. */
  readonly addressFile: string;
  /** In the asset's unit; default: the network's. */
  readonly seed?: bigint;
  readonly log?: (event: DeploymentEvent) => void;
  /** Sends and writes nothing; the answer holds the addresses that would come of it. */
  readonly dryRun?: boolean;
  /** How long to wait for one transaction. Default ten minutes. */
  readonly patienceMs?: number;
}

/** Adapters are built again when their vault's nonce is lost; whoever loses it so often shares the key. */
const MOST_TRIES = 4;

/**
 * Deploys, or continues, or finds everything there.
 * @throws InputFailure CHAIN_WRONG, NO_CODE, ASSET_WRONG, VENUE_WRONG, REWARD_WRONG, VENUE_UNKNOWN, ROLES_WRONG, DEPLOYER_POOR, DEPLOYED_OTHERWISE,
 * JOURNAL_OTHER, JOURNAL_MALFORMED, ADDRESSES_MALFORMED, ARTIFACTS_MISSING.
 * @throws WorldFailure STEP_WOULD_REVERT, STEP_REVERTED, STEP_NOT_MINED, NODE_REFUSED, KEY_SHARED, DEPLOYMENT_UNSOUND.
 */
export async function deployVault(options: DeployOptions): Promise<AddressFile> {
  const { signer, network, addressFile } = options;
  const log = options.log ?? (() => undefined);
  const provider = signer.provider;
  if (provider === null) throw new Error("the deployer's signer is not connected to a provider");
  const deployer = await signer.getAddress();
  const roles = checkedRoles(options.roles, deployer);
  const genesisHash = await identify(provider, network);

  if (existsSync(addressFile)) {
    const found = loadAddresses(addressFile);
    requireSame(found, { network, roles, genesisHash, addressFile });
    await requireSound(provider, found);
    log({ kind: "deployment.done", addressFile, sent: 0 });
    return found;
  }

  const seed = options.seed ?? network.seed;
  await requireAsset(provider, network.asset);
  for (const venue of network.venues) await requireVenue(provider, venue, network.asset.address);
  if (network.auction !== null) await requireAuction(provider, network.auction, network.asset);

  const journal = Journal.open(journalFileOf(addressFile), {
    chainId: network.chainId,
    genesisHash,
    deployer,
    plan: planDigest({ network, roles, seed }),
  });
  const on = { deployer, chainId: network.chainId, journal, confirmations: network.confirmations, log };
  const transactions = options.dryRun
    ? new PlannedTransactions(deployer, await provider.getTransactionCount(deployer, "pending"), log)
    : new LiveTransactions(signer, provider, { ...on, patienceMs: options.patienceMs });

  await requireSeed(provider, { network, deployer, seed, journal });
  const made = await deployAll({ network, roles, seed, transactions, provider, log, journal });
  const addresses: AddressFile = {
    format: "tiller-addresses/1",
    network: network.network,
    chainId: network.chainId,
    genesisHash,
    deployedAtBlock: made.block,
    asset: { ...network.asset, address: getAddress(network.asset.address) },
    vault: made.vault,
    timelock: made.timelock,
    lens: made.lens,
    guardian: roles.guardian,
    keepers: [...roles.keepers],
    adapters: network.venues.map(({ id, kind, venue }, index) => ({
      ...{ id, kind, venue: getAddress(venue), adapter: made.adapters[index] ?? ZeroAddress },
    })),
    ...(network.auction === null
      ? {}
      : { auction: { auction: made.auction, rewards: rewardsOf(network.auction.rewards) } }),
    conditions: network.conditions.map(({ id, kind }, index) => ({
      ...{ id, kind, condition: made.conditions[index] ?? ZeroAddress },
    })),
  };
  if (options.dryRun) return addresses;
  await requireSound(provider, addresses);
  writeWhole(addressFile, addresses);
  log({ kind: "deployment.done", addressFile, sent: transactions.sent });
  return addresses;
}

interface Work {
  readonly network: NetworkParameters;
  readonly roles: Roles;
  readonly seed: bigint;
  readonly transactions: Transactions;
  readonly provider: Provider;
  readonly journal: Journal;
  readonly log: (event: DeploymentEvent) => void;
}

interface Made {
  readonly timelock: string;
  readonly lens: string;
  /** Zero: there is none. */
  readonly auction: string;
  readonly adapters: readonly string[];
  readonly conditions: readonly string[];
  readonly vault: string;
  readonly block: number;
}

async function deployAll(work: Work): Promise<Made> {
  const { network, roles, transactions, provider } = work;
  const libraries = new Map<string, string>();
  for (const library of librariesFor([...creationsFor(work), lens()])) {
    libraries.set(library.artifact.name, (await create(work, library, libraries)).address);
  }
  const owner = (await create(work, timelock(network, roles), libraries)).address;
  const reader = (await create(work, lens(), libraries)).address;
  const built = await buildTogether(work, owner, libraries);

  const asset = IERC20__factory.connect(network.asset.address, provider);
  const contract = Vault__factory.connect(built.vault, provider);
  const steps = opening({ vault: built.vault, asset: network.asset.address }, work.seed, {
    opened: () => contract.opened(),
    allowance: () => asset.allowance(transactions.deployer, built.vault),
  });
  for (const step of steps) await transactions.run(step);
  return { ...built, timelock: owner, lens: reader };
}

/** What is built together: auction, adapters, conditions, vault; zero where an address is not known yet. */
interface Places {
  readonly vault: string;
  readonly owner: string;
  readonly auction: string;
  readonly adapters: readonly string[];
  readonly conditions: readonly string[];
}
const NOWHERE: Places = {
  ...{ vault: ZeroAddress, owner: ZeroAddress, auction: ZeroAddress },
  ...{ adapters: [], conditions: [] },
};

/** The auction and adapters for the vault at its place, conditions for the adapters that have one, and the vault for all of them. */
function creationsFor(work: Pick<Work, "network" | "roles">, places = NOWHERE): Creation[] {
  const { network, roles } = work;
  const asset = network.asset.address;
  const adapterOf = (venue: string): string => {
    const index = network.venues.findIndex(({ id }) => id === venue);
    if (index >= 0) return places.adapters[index] ?? ZeroAddress;
    throw new InputFailure("VENUE_UNKNOWN", `no venue is called ${venue}`, {
      field: "conditions.venue",
      remedy: "Name a venue of the network, or add it there.",
    });
  };
  return [
    ...(network.auction === null ? [] : [auction(network.auction, places.vault, asset)]),
    ...network.venues.map((venue) => adapter(venue, { ...places, asset })),
    ...network.conditions.map((parameters) => condition(parameters, adapterOf)),
    vault(
      vaultConfiguration(network, roles, {
        timelock: places.owner,
        adapters: network.venues.map((_venue, index) => places.adapters[index] ?? ZeroAddress),
        conditions: network.conditions.map((_condition, index) => places.conditions[index] ?? ZeroAddress),
      }),
    ),
  ];
}

/**
 * The auction, the adapters and the vault, which know each other from birth: the vault's address follows from the deployer's
 * nonce, so the others take the nonces before it; the auction first, which adapters know, and after these the conditions, which
 * know adapters. Should another transaction of the deployer's come in between, those that exist are left behind, without a
 * vault and without money, and new ones are made.
 */
async function buildTogether(
  work: Work,
  owner: string,
  libraries: ReadonlyMap<string, string>,
): Promise<Pick<Made, "auction" | "adapters" | "conditions" | "vault" | "block">> {
  const { network, transactions, journal, log } = work;
  const { deployer } = transactions;
  const auctions = network.auction === null ? 0 : 1;
  const count = auctions + network.venues.length + network.conditions.length;
  let vaultNonce = journal.vaultNonce;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    if (vaultNonce === null) {
      vaultNonce = (await transactions.nextNonce()) + count;
      if (transactions instanceof LiveTransactions) journal.keepVaultNonce(vaultNonce);
    }
    const first = vaultNonce - count;
    const vaultAddress = getCreateAddress({ from: deployer, nonce: vaultNonce });
    const placed = (offset: number) => getCreateAddress({ from: deployer, nonce: first + offset });
    const auctionAddress = auctions === 0 ? ZeroAddress : placed(0);
    const adapters = network.venues.map((_, index) => placed(auctions + index));
    const conditions = network.conditions.map((_, index) => placed(auctions + adapters.length + index));
    const parts = { auction: auctionAddress, adapters, conditions };
    const creations = creationsFor(work, { vault: vaultAddress, owner, ...parts });
    try {
      let block = 0;
      for (const [index, creation] of creations.entries()) {
        block = (await create(work, creation, libraries, first + index)).block;
      }
      return { ...parts, vault: vaultAddress, block };
    } catch (error) {
      if (!(error instanceof NonceTaken)) throw error;
      log({ kind: "adapters.again", reason: `another transaction of the deployer's took a nonce before the vault's` });
      vaultNonce = null;
    }
  }
  throw new WorldFailure("KEY_SHARED", "other transactions of the deployer's keep coming in between", {
    remedy: "Stop whatever else uses the deployer's key and run the same command again.",
  });
}

async function create(
  { transactions, provider }: Pick<Work, "transactions" | "provider">,
  creation: Creation,
  libraries: ReadonlyMap<string, string>,
  nonce?: number,
): Promise<{ address: string; block: number }> {
  const step = {
    id: creation.id,
    to: null,
    data: creationData(creation, libraries),
    done: async (address: string | null) =>
      address !== null && compareCode(creation.artifact, await provider.getCode(address)).equal,
  };
  const { creates, block } = await transactions.run(step, nonce);
  if (creates === null) throw new Error(`step ${creation.id} created nothing`);
  return { address: creates, block };
}

/** Everything that makes this deployment this one: parameters, roles, seed, and the code of all contracts. */
function planDigest(plan: Pick<Work, "network" | "roles" | "seed">): string {
  const creations = [
    timelock(plan.network, plan.roles),
    lens(),
    ...creationsFor(plan),
    ...librariesFor([...creationsFor(plan), lens()]),
  ];
  const code = creations.map((creation) => keccakOfText(creation.artifact.creationCode));
  const text = JSON.stringify({ ...plan, code }, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return keccakOfText(text);
}

/** The file is of this chain and of what was asked for. */
function requireSame(
  found: AddressFile,
  asked: {
    readonly network: NetworkParameters;
    readonly roles: Roles;
    readonly genesisHash: string;
    readonly addressFile: string;
  },
): void {
  const { network, roles } = asked;
  const different = [
    ["network", found.network === network.network],
    ["chainId", found.chainId === network.chainId],
    ["genesisHash", found.genesisHash === asked.genesisHash],
    ["asset", found.asset.address === getAddress(network.asset.address)],
    ["guardian", found.guardian === roles.guardian],
    ["keepers", String(found.keepers) === String(roles.keepers)],
    [
      "adapters",
      String(found.adapters.map(({ id, kind, venue }) => [id, kind, venue])) ===
        String(network.venues.map(({ id, kind, venue }) => [id, kind, getAddress(venue)])),
    ],
    [
      "auction",
      JSON.stringify(found.auction?.rewards) ===
        JSON.stringify(network.auction === null ? undefined : rewardsOf(network.auction.rewards)),
    ],
    [
      "conditions",
      String((found.conditions ?? []).map(({ id, kind }) => [id, kind])) ===
        String(network.conditions.map(({ id, kind }) => [id, kind])),
    ],
  ].find(([, same]) => !same);
  if (different === undefined) return;
  throw new InputFailure("DEPLOYED_OTHERWISE", `another deployment is in the file: it has another ${different[0]}`, {
    field: asked.addressFile,
    remedy: "Name another file to deploy afresh, or ask for the deployment that the file is about.",
  });
}

function rewardsOf(
  rewards: readonly { readonly symbol: string; readonly token: string }[],
): NonNullable<AddressFile["auction"]>["rewards"] {
  return rewards.map(({ symbol, token }) => ({ symbol, token: getAddress(token) }));
}

async function requireSeed(
  provider: Provider,
  { network, deployer, seed, journal }: Pick<Work, "network" | "seed" | "journal"> & { readonly deployer: string },
): Promise<void> {
  if (journal.entry("open") !== undefined) return;
  const balance = await IERC20__factory.connect(network.asset.address, provider).balanceOf(deployer);
  if (balance >= seed) return;
  throw new InputFailure(
    "DEPLOYER_POOR",
    `the deployer has ${balance} of the ${seed} units of the asset for the seed`,
    {
      field: "deployer",
      remedy: `Send ${network.asset.symbol} to ${deployer}.`,
    },
  );
}

async function requireSound(provider: Provider, addresses: AddressFile): Promise<void> {
  const { checks } = await inspect(provider, addresses);
  const failed = checks.find((check) => !check.ok);
  if (failed === undefined) return;
  throw new WorldFailure("DEPLOYMENT_UNSOUND", `${failed.name}: ${failed.detail}`, {
    remedy: "Run `npm run deploy:check` for all checks. Do not use this vault before they pass.",
  });
}
