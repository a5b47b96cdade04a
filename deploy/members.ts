// Who holds which power. Neither the vault nor the timelock lists its members, so they are read from the logs of their
// appointment, and then asked for one by one: a log says who was, the call says who is.
import { getAddress, id as keccakOfText, ZeroAddress, ZeroHash, type Log, type Provider } from "ethers";
import { RewardAuction__factory, Vault__factory, VaultTimelock__factory } from "../typechain-types";
import type { AddressFile } from "../keeper/config/addressFile";
import { WorldFailure } from "../keeper/config/failure";

const TIMELOCK_ROLES = {
  "timelock administrator": ZeroHash,
  "timelock proposer": keccakOfText("PROPOSER_ROLE"),
  "timelock executor": keccakOfText("EXECUTOR_ROLE"),
  "timelock canceller": keccakOfText("CANCELLER_ROLE"),
} as const;

/** Timelock and auction are made before the vault, whose block is all that the address file knows; a day before, at most. */
const BLOCKS_BEFORE_VAULT = 7_200;
/** What public nodes answer in one call at most. */
const MOST_BLOCKS_A_CALL = 10_000;

export async function readTimelock(
  provider: Provider,
  address: string,
): Promise<{ readonly delaySeconds: number; readonly guardian: string }> {
  const timelock = VaultTimelock__factory.connect(address, provider);
  return { delaySeconds: Number(await timelock.getMinDelay()), guardian: await timelock.guardian() };
}

/** Holders of each power now, by the power's name. */
export async function readMembers(
  provider: Provider,
  file: AddressFile,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const vault = Vault__factory.connect(file.vault, provider);
  const timelock = VaultTimelock__factory.connect(file.timelock, provider);
  const members: Record<string, readonly string[]> = {
    owner: [await vault.owner()],
    guardian: [await vault.guardian()],
  };

  const appointed = await logsOf(provider, file, {
    address: file.vault,
    topic: vault.getEvent("KeeperChanged").fragment.topicHash,
  });
  const keepers = distinct([...file.keepers, ...appointed.map((log) => addressIn(log.topics[1]))]);
  members["keeper"] = await keep(keepers, (keeper) => vault.isKeeper(keeper));

  const granted = await logsOf(provider, file, {
    address: file.timelock,
    topic: timelock.getEvent("RoleGranted").fragment.topicHash,
  });
  for (const [power, role] of Object.entries(TIMELOCK_ROLES)) {
    const ever = granted.filter((log) => log.topics[1] === role).map((log) => addressIn(log.topics[2]));
    // Asked for besides: the deployer, of whom no log must be missed.
    const candidates = distinct([...ever, await vault.deployer(), file.timelock, file.guardian, ...file.keepers]);
    members[power] = await keep(candidates, (account) => timelock.hasRole(role, account));
  }
  return members;
}

/** Conditions of the breaker that are registered now. */
export async function readConditions(provider: Provider, file: AddressFile): Promise<readonly string[]> {
  const vault = Vault__factory.connect(file.vault, provider);
  const changed = await logsOf(provider, file, {
    address: file.vault,
    topic: vault.getEvent("ConditionChanged").fragment.topicHash,
  });
  const ever = distinct([
    ...(file.conditions ?? []).map(({ condition }) => condition),
    ...changed.map((log) => addressIn(log.topics[1])),
  ]);
  return keep(ever, async (condition) => (await vault.condition(condition))[0]);
}

/** Tokens that an auction of rewards has for sale now. */
export async function readListed(provider: Provider, file: AddressFile, auction: string): Promise<readonly string[]> {
  const contract = RewardAuction__factory.connect(auction, provider);
  const topic = contract.getEvent("Listed").fragment.topicHash;
  const listed = await logsOf(provider, file, { address: auction, topic });
  const ever = distinct([
    ...(file.auction?.rewards ?? []).map(({ token }) => token),
    ...listed.map((log) => addressIn(log.topics[1])),
  ]);
  return keep(ever, async (token) => (await contract.termsOf(token)).feed !== ZeroAddress);
}

async function logsOf(
  provider: Provider,
  file: AddressFile,
  { address, topic }: { readonly address: string; readonly topic: string },
): Promise<readonly Log[]> {
  const found: Log[] = [];
  const head = await provider.getBlockNumber();
  for (let from = Math.max(0, file.deployedAtBlock - BLOCKS_BEFORE_VAULT); from <= head; from += MOST_BLOCKS_A_CALL) {
    const to = Math.min(head, from + MOST_BLOCKS_A_CALL - 1);
    try {
      found.push(...(await provider.getLogs({ address, topics: [topic], fromBlock: from, toBlock: to })));
    } catch (cause) {
      throw new WorldFailure("LOGS_REFUSED", `the node gives no logs of the blocks ${from} to ${to}`, {
        field: "RPC_URL",
        remedy: "Use a node that keeps them: who holds a role is read from logs.",
        cause,
      });
    }
  }
  return found;
}

async function keep(
  accounts: readonly string[],
  holds: (account: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const answers = await Promise.all(accounts.map(holds));
  return accounts.filter((_, index) => answers[index]);
}

function distinct(accounts: readonly string[]): readonly string[] {
  return [...new Set(accounts.map((account) => getAddress(account)))];
}

function addressIn(topic: string | undefined): string {
  return getAddress(`0x${(topic ?? ZeroHash).slice(26)}`);
}
