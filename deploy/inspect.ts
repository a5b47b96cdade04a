// Reads a deployed vault as an auditor would: is the code that of this checkout, who holds which power, and how is every
// parameter set. Believes the chain only; of the address file, nothing that it does not find there.
import { formatUnits, ZeroAddress, type Provider } from "ethers";
import {
  Curve3PoolAdapter__factory,
  IAdapter__factory,
  IERC20Metadata__factory,
  OracleTrouble__factory,
  SkySavingsAdapter__factory,
  UniswapV3Adapter__factory,
  Vault__factory,
  VaultLens__factory,
  VenueIlliquid__factory,
} from "../typechain-types";
import type { AddressFile } from "../keeper/config/addressFile";
import { artifactOf, compareCode, type Artifact } from "./artifacts";
import { check, list, type Check } from "./finding";
import { sameAddress } from "./sameAddress";
import { checkAuction } from "./inspectAuction";
import { readConditions, readMembers, readTimelock } from "./members";
import { adapterArtifact } from "./modules/adapters";
import { AUCTION_ARTIFACT } from "./modules/auction";
import { conditionArtifact } from "./modules/conditions";
import { lens } from "./modules/lens";
import { TIMELOCK_ARTIFACT } from "./modules/timelock";
import { VAULT_ARTIFACT } from "./modules/vault";
import { LEAST_TIMELOCK_DELAY_SECONDS, type VenuePlace } from "./networks/network";
import { readParameters, type Parameter } from "./parameters";
import { threePoolTermsOf, uniswapTermsOf } from "./poolTerms";
import { factoryOf } from "./poolProbes";
import { problemOf } from "./venueProbes";

export interface Inspection {
  readonly checks: readonly Check[];
  /** Who holds which power now. */
  readonly powers: readonly { readonly power: string; readonly holders: readonly string[] }[];
  readonly parameters: readonly Parameter[];
}

const CLAIMS_ARTIFACT = "contracts/Claims.sol:Claims";

/**
 * Inspects the deployment that `file` names. Does not throw for anything wrong with it: that is a check that is not ok.
 * A node that fails throws.
 */
export async function inspect(provider: Provider, file: AddressFile): Promise<Inspection> {
  const code = await checkCode(provider, file);
  // What follows asks our contracts in our ABI; without their code there is nobody to ask.
  if (code.some((check) => !check.ok)) return { checks: code, powers: [], parameters: [] };
  const members = await readMembers(provider, file);
  const checks = [
    ...code,
    ...(await checkAsset(provider, file)),
    ...(await checkPowers(provider, file, members)),
    ...(await checkAdapters(provider, file)),
    ...(await checkAuction(provider, file)),
    ...(await checkConditions(provider, file)),
    await checkLens(provider, file),
  ];
  const powers = Object.entries(members).map(([power, holders]) => ({ power, holders }));
  return { checks, powers, parameters: await readParameters(provider, file) };
}

async function checkCode(provider: Provider, file: AddressFile): Promise<Check[]> {
  const checks: Check[] = [];
  const compare = async (name: string, artifact: Artifact, address: string): Promise<void> => {
    const compared = compareCode(artifact, await provider.getCode(address));
    const detail = compared.equal ? address : `${address}: ${compared.reason}`;
    checks.push(check(`code of the ${name}`, compared.equal, detail));
    if (!compared.equal) return;
    for (const [library, at] of compared.libraries) {
      const id = `library ${library.split(":")[1] ?? library}`;
      if (!checks.some((done) => done.name === `code of the ${id}` && done.detail === at)) {
        await compare(id, artifactOf(library), at);
      }
    }
  };
  await compare("vault", artifactOf(VAULT_ARTIFACT), file.vault);
  await compare("timelock", artifactOf(TIMELOCK_ARTIFACT), file.timelock);
  await compare("lens", lens().artifact, file.lens);
  if (file.auction !== undefined) await compare("auction", artifactOf(AUCTION_ARTIFACT), file.auction.auction);
  for (const { id, kind, adapter } of file.adapters) await compare(`adapter ${id}`, adapterArtifact(kind), adapter);
  for (const { id, kind, condition } of file.conditions ?? []) {
    await compare(`condition ${id}`, conditionArtifact(kind), condition);
  }
  if (checks[0]?.ok) {
    await compare("claims", artifactOf(CLAIMS_ARTIFACT), await Vault__factory.connect(file.vault, provider).claims());
  }
  return checks;
}

async function checkAsset(provider: Provider, file: AddressFile): Promise<Check[]> {
  const vault = Vault__factory.connect(file.vault, provider);
  const asset = await vault.asset();
  const decimals = Number(await IERC20Metadata__factory.connect(asset, provider).decimals());
  const shares = await vault.totalSupply();
  return [
    check(
      "asset",
      sameAddress(asset, file.asset.address) && decimals === file.asset.decimals,
      `${asset}, ${decimals} decimals`,
    ),
    check("opened with a seed", (await vault.opened()) && shares > 0n, `${formatUnits(shares, 18)} shares`),
  ];
}

async function checkPowers(
  provider: Provider,
  file: AddressFile,
  members: Awaited<ReturnType<typeof readMembers>>,
): Promise<Check[]> {
  const vault = Vault__factory.connect(file.vault, provider);
  const timelock = await readTimelock(provider, file.timelock);
  const [owner, guardian, deployer] = await Promise.all([vault.owner(), vault.guardian(), vault.deployer()]);
  const [pendingOwner, pendingGuardian] = await Promise.all([vault.pendingOwner(), vault.pendingGuardian()]);
  const keepers = members["keeper"] ?? [];
  const administrators = members["timelock administrator"] ?? [];
  const proposers = members["timelock proposer"] ?? [];
  const executors = members["timelock executor"] ?? [];
  const held = Object.entries(members).filter(([, holders]) => holders.some((holder) => sameAddress(holder, deployer)));
  const seedAllowance = await IERC20Metadata__factory.connect(file.asset.address, provider).allowance(
    deployer,
    file.vault,
  );
  return [
    check("owner is the timelock", sameAddress(owner, file.timelock), owner),
    check("no handover of the owner is under way", pendingOwner === ZeroAddress, pendingOwner),
    check(
      "timelock delay is a day or more",
      timelock.delaySeconds >= LEAST_TIMELOCK_DELAY_SECONDS,
      `${timelock.delaySeconds / 3600} h`,
    ),
    check(
      "the timelock alone administers itself",
      administrators.length === 1 && administrators.every((holder) => sameAddress(holder, file.timelock)),
      list(administrators),
    ),
    check("the timelock has a proposer", proposers.length > 0, list(proposers)),
    check("the timelock has an executor", executors.length > 0, list(executors)),
    check("guardian", sameAddress(guardian, file.guardian) && sameAddress(timelock.guardian, guardian), guardian),
    check("no handover of the guardian is under way", pendingGuardian === ZeroAddress, pendingGuardian),
    check("the guardian can propose nothing", !proposers.some((holder) => sameAddress(holder, guardian)), guardian),
    check(
      "keepers are those of the file",
      keepers.length === file.keepers.length &&
        file.keepers.every((known) => keepers.some((it) => sameAddress(it, known))),
      list(keepers),
    ),
    check(
      "the deployer holds nothing",
      held.length === 0 && seedAllowance === 0n && (await vault.balanceOf(deployer)) === 0n,
      held.length === 0 ? deployer : `${deployer} is ${held.map(([power]) => power).join(", ")}`,
    ),
  ];
}

async function checkAdapters(provider: Provider, file: AddressFile): Promise<Check[]> {
  const registered = await Vault__factory.connect(file.vault, provider).adapters();
  const listed = file.adapters.map(({ adapter }) => adapter);
  const unlisted = registered.filter((address) => !listed.some((known) => sameAddress(known, address)));
  const checks = [
    check(
      "adapters are those of the file",
      unlisted.length === 0 && registered.length === listed.length,
      unlisted.length === 0 ? `${registered.length}` : `not in the file: ${list(unlisted)}`,
    ),
  ];
  for (const { id, kind, adapter, venue } of file.adapters) {
    const contract = IAdapter__factory.connect(adapter, provider);
    const [vault, asset, itsVenue, itsKind] = await Promise.all([
      contract.vault(),
      contract.asset(),
      contract.venue(),
      contract.kind(),
    ]);
    const problem = !sameAddress(vault, file.vault)
      ? `answers to the vault ${vault}`
      : !sameAddress(asset, file.asset.address)
        ? `holds another asset, ${asset}`
        : !sameAddress(itsVenue, venue)
          ? `stands before another venue, ${itsVenue}`
          : textOf(itsKind) !== kind
            ? `is of the kind ${textOf(itsKind)}`
            : await problemOf(provider, await placeOf(provider, { kind, adapter, venue }), file.asset.address).then(
                (found) => (found === null ? null : `its venue ${found.what}`),
              );
    checks.push(check(`adapter ${id}`, problem === null, problem ?? `${adapter} at ${venue}`));
    const open = await Promise.all(
      (await allowancesOf(provider, { kind, adapter, venue }, file)).map(({ token, owner, spender }) =>
        IERC20Metadata__factory.connect(token, provider).allowance(owner, spender),
      ),
    );
    const none = open.every((amount) => amount === 0n);
    checks.push(check(`no allowance stands open at ${id}`, none, open.join(", ")));
  }
  return checks;
}

type Entry = Pick<AddressFile["adapters"][number], "kind" | "adapter" | "venue">;

/** The venue as the adapter itself names it where the file does not. */
async function placeOf(provider: Provider, { kind, adapter, venue }: Entry): Promise<VenuePlace> {
  switch (kind) {
    case "aave-v3":
    case "compound-v3":
    case "erc4626":
      return { kind, venue };
    case "sky-savings":
      return { kind, venue, psm: await SkySavingsAdapter__factory.connect(adapter, provider).psm() };
    case "curve-3pool": {
      const pool = Curve3PoolAdapter__factory.connect(adapter, provider);
      const [receipt, ...feeds] = await Promise.all([pool.receipt(), pool.feed(0), pool.feed(1), pool.feed(2)]);
      return { kind, venue, receipt, feeds, ...(await threePoolTermsOf(provider, adapter)) };
    }
    case "uniswap-v3": {
      const pool = UniswapV3Adapter__factory.connect(adapter, provider);
      const [paired, ...feeds] = await Promise.all([pool.receipt(), pool.assetFeed(), pool.pairedFeed()]);
      const factory = String(await factoryOf(provider, venue));
      return { kind, venue, factory, paired, feeds, ...(await uniswapTermsOf(provider, adapter)) };
    }
  }
}

/** Every allowance that is given for the length of a call. */
async function allowancesOf(
  provider: Provider,
  { kind, adapter, venue }: Entry,
  file: AddressFile,
): Promise<readonly { readonly token: string; readonly owner: string; readonly spender: string }[]> {
  const asset = file.asset.address;
  const pulls = { token: asset, owner: file.vault, spender: adapter };
  const pays = { token: asset, owner: adapter, spender: venue };
  if (kind === "uniswap-v3") {
    // It pays when the pool calls back, and approves nothing.
    const paired = await UniswapV3Adapter__factory.connect(adapter, provider).receipt();
    return [pulls, pays, { ...pays, token: paired }];
  }
  if (kind !== "sky-savings") return [pulls, pays];
  const contract = SkySavingsAdapter__factory.connect(adapter, provider);
  const [psm, stable] = [await contract.psm(), await contract.stable()];
  return [
    pulls,
    { token: asset, owner: adapter, spender: psm },
    { token: stable, owner: adapter, spender: psm },
    { token: stable, owner: adapter, spender: venue },
  ];
}

async function checkConditions(provider: Provider, file: AddressFile): Promise<Check[]> {
  const registered = await readConditions(provider, file);
  const listed = file.conditions ?? [];
  const unlisted = registered.filter((address) => !listed.some(({ condition }) => sameAddress(condition, address)));
  const checks = [
    check(
      "conditions are those of the file",
      unlisted.length === 0 && registered.length === listed.length,
      unlisted.length === 0
        ? `${registered.length} of ${listed.length} registered`
        : `not in the file: ${list(unlisted)}`,
    ),
  ];
  for (const { id, kind, condition } of listed) {
    const problem = registered.some((address) => sameAddress(address, condition))
      ? await problemOfCondition(provider, { kind, condition }, file)
      : "is not registered";
    checks.push(check(`condition ${id}`, problem === null, problem ?? condition));
  }
  return checks;
}

/** What a condition judges that it should not, or null. Its other parameters are shown, not judged. */
async function problemOfCondition(
  provider: Provider,
  { kind, condition }: Pick<NonNullable<AddressFile["conditions"]>[number], "kind" | "condition">,
  file: AddressFile,
): Promise<string | null> {
  switch (kind) {
    case "aave-v3-illiquid":
    case "compound-v3-illiquid": {
      const contract = VenueIlliquid__factory.connect(condition, provider);
      const [adapter, vault] = await Promise.all([contract.adapter(), contract.vault()]);
      if (!file.adapters.some((known) => sameAddress(known.adapter, adapter)))
        return `judges a foreign adapter, ${adapter}`;
      return sameAddress(vault, file.vault) ? null : `judges a foreign vault, ${vault}`;
    }
    case "oracle-trouble": {
      const feed = await OracleTrouble__factory.connect(condition, provider).feed();
      return (await provider.getCode(feed)) === "0x" ? `has a feed without code, ${feed}` : null;
    }
    case "share-price-fall":
    case "venue-reverting":
      return null;
  }
}

async function checkLens(provider: Provider, file: AddressFile): Promise<Check> {
  const reader = VaultLens__factory.connect(file.lens, provider);
  const snapshot = await reader.snapshot(file.vault, file.keepers[0] ?? ZeroAddress);
  const unread = snapshot.adapters.filter(({ readable, state }) => !readable || state === "0x");
  const unreadNames = unread.map(
    ({ adapter }) => file.adapters.find((known) => sameAddress(known.adapter, adapter))?.id,
  );
  return check(
    "the lens reads every venue",
    unread.length === 0 && sameAddress(snapshot.vault, file.vault),
    unread.length === 0 ? `block ${snapshot.blockNumber}` : `not ${unreadNames.join(", ")}`,
  );
}

function textOf(bytes32: string): string {
  return Buffer.from(bytes32.slice(2), "hex").toString("ascii").replace(/\0+$/, "");
}
