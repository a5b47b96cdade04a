// Reads the address file of a deployment.
import { readFileSync } from "node:fs";
import { getAddress } from "ethers";
import { addressFileSchema, type AddressFile } from "./addressFile";
import { InputFailure } from "./failure";

/**
 * The address file, checked; addresses in checksum form.
 *
 * @throws InputFailure `ADDRESSES_MISSING`, `ADDRESSES_MALFORMED`; its field names the file and the place in it.
 */
export function loadAddresses(file: string): AddressFile {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new InputFailure("ADDRESSES_MISSING", `there is no address file ${file}`, {
        field: "addresses",
        remedy: "Deploy first (it writes the file), or name the file of an existing deployment.",
      });
    }
    const reason = error instanceof SyntaxError ? "is not JSON" : "cannot be read";
    throw malformed(file, "", reason);
  }
  const parsed = addressFileSchema.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(
      file,
      issue?.path.map(String).join(".") ?? "",
      issue?.message ?? "does not have the expected shape",
    );
  }
  return withChecksums(file, parsed.data);
}

function withChecksums(file: string, addresses: AddressFile): AddressFile {
  const checked = (field: string, value: string): string => {
    try {
      return getAddress(value);
    } catch {
      throw malformed(file, field, "has a wrong checksum: a digit or its case is wrong");
    }
  };
  const adapters = addresses.adapters.map((entry, index) => ({
    ...entry,
    adapter: checked(`adapters.${index}.adapter`, entry.adapter),
    venue: checked(`adapters.${index}.venue`, entry.venue),
  }));
  const auctionOf = ({ auction, rewards }: NonNullable<AddressFile["auction"]>): AddressFile["auction"] => ({
    auction: checked("auction.auction", auction),
    rewards: rewards.map((reward, index) => ({
      ...reward,
      token: checked(`auction.rewards.${index}.token`, reward.token),
    })),
  });
  refuseTwice(
    file,
    "id",
    adapters.map((entry) => entry.id),
  );
  refuseTwice(
    file,
    "adapter",
    adapters.map((entry) => entry.adapter),
  );
  return {
    ...addresses,
    asset: { ...addresses.asset, address: checked("asset.address", addresses.asset.address) },
    vault: checked("vault", addresses.vault),
    timelock: checked("timelock", addresses.timelock),
    lens: checked("lens", addresses.lens),
    guardian: checked("guardian", addresses.guardian),
    keepers: addresses.keepers.map((keeper, index) => checked(`keepers.${index}`, keeper)),
    adapters,
    ...(addresses.auction === undefined ? {} : { auction: auctionOf(addresses.auction) }),
  };
}

function refuseTwice(file: string, key: string, values: readonly string[]): void {
  const twice = values.findIndex((value, index) => values.indexOf(value) !== index);
  if (twice >= 0) throw malformed(file, `adapters.${twice}.${key}`, "stands twice in the file");
}

function malformed(file: string, field: string, problem: string): InputFailure {
  return new InputFailure("ADDRESSES_MALFORMED", `${field === "" ? "the file" : field} ${problem}`, {
    field: file,
    remedy: "Write the file again by deploying (deploying twice changes nothing on-chain).",
  });
}
