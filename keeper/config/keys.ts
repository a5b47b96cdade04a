// Keys: the keeper's, and the identity towards relays. Read at the last moment, held by an ethers wallet, never shown:
// no message here holds a byte of a key or a password.
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Wallet, isHexString, type BaseWallet } from "ethers";
import type { AddressFile } from "./addressFile";
import { InputFailure } from "./failure";
import type { AuthKeySource, KeySource } from "./schema";

type Environment = Readonly<Record<string, string | undefined>>;

/** What of the address file decides which keys are accepted. */
interface Deployment extends Pick<AddressFile, "network" | "chainId"> {
  readonly keepers: readonly string[];
}

/** Chain id of the local chain; nothing of value is there. */
export const LOCAL_CHAIN_ID = 31_337;

/**
 * The wallet that signs plans, without a provider.
 *
 * @throws InputFailure `KEY_MISSING`, `KEY_MALFORMED`, `KEY_SOURCE_REFUSED` (a key in the environment away from local
 * chains and forks), `KEY_PASSWORD_WRONG`, `KEY_NOT_KEEPER` (not an address that the deployment made a keeper).
 */
export async function loadKeeperWallet(
  source: KeySource,
  addresses: Deployment,
  env: Environment,
): Promise<BaseWallet> {
  const wallet = await loadWallet(source, { ...addresses, field: "keeper.key" }, env);
  const known = addresses.keepers.some((keeper) => keeper.toLowerCase() === wallet.address.toLowerCase());
  if (!known) {
    throw new InputFailure("KEY_NOT_KEEPER", `the key is that of ${wallet.address}, which is no keeper of this vault`, {
      field: "keeper.key",
      remedy: `Use the key of ${addresses.keepers.join(" or ")}, or have the timelock add this keeper.`,
    });
  }
  return wallet;
}

/**
 * The wallet of a key source, whoever it belongs to, without a provider. `at.field` names the source to the operator.
 *
 * @throws InputFailure `KEY_MISSING`, `KEY_MALFORMED`, `KEY_SOURCE_REFUSED`, `KEY_PASSWORD_WRONG`
 */
export async function loadWallet(
  source: KeySource,
  at: Pick<AddressFile, "network" | "chainId"> & { readonly field: string },
  env: Environment,
): Promise<BaseWallet> {
  return source.kind === "env" ? fromEnvironment(source.variable, at, env) : fromKeystore(source, at.field, env);
}

function fromEnvironment(
  variable: string,
  at: Pick<AddressFile, "network" | "chainId"> & { readonly field: string },
  env: Environment,
): BaseWallet {
  const harmless = at.network === "fork" || (at.network === "local" && at.chainId === LOCAL_CHAIN_ID);
  if (!harmless) {
    throw new InputFailure("KEY_SOURCE_REFUSED", "a key in the environment is for the local chain and forks only", {
      field: `${at.field}.kind`,
      remedy: `Set ${at.field} to {"kind": "keystore", "file": …, "passwordFile": …}.`,
    });
  }
  return new Wallet(privateKeyOf(env[variable], variable));
}

async function fromKeystore(
  source: Extract<KeySource, { kind: "keystore" }>,
  field: string,
  env: Environment,
): Promise<BaseWallet> {
  const keystore = readKeyFile(source.file, `${field}.file`);
  const password =
    source.passwordFile !== undefined
      ? readKeyFile(source.passwordFile, `${field}.passwordFile`).replace(/\r?\n$/, "")
      : env[source.passwordVariable ?? ""];
  if (password === undefined) {
    throw new InputFailure("KEY_MISSING", "the variable with the keystore's password is not set", {
      field: source.passwordVariable ?? `${field}.passwordVariable`,
      remedy: `Set it, or use ${field}.passwordFile.`,
    });
  }
  try {
    return await Wallet.fromEncryptedJson(keystore, password);
  } catch (error) {
    if (/incorrect password/i.test(String((error as Error).message))) {
      throw new InputFailure("KEY_PASSWORD_WRONG", "the password does not open the keystore", {
        field: source.passwordFile !== undefined ? `${field}.passwordFile` : `${field}.passwordVariable`,
        remedy: "Give the password that the keystore was encrypted with.",
      });
    }
    throw new InputFailure("KEY_MALFORMED", "the file is not an encrypted JSON keystore", {
      field: `${field}.file`,
      remedy: "Name a Web3 secret storage file (version 3), as geth, cast and ethers write it.",
    });
  }
}

/**
 * The wallet that signs `X-Flashbots-Signature`. With a file source an absent file is made, with a fresh key, readable
 * by its owner only.
 *
 * @throws InputFailure `KEY_MISSING`, `KEY_MALFORMED`, `KEY_FILE_OPEN` (others may read the file).
 */
export function loadRelayAuthWallet(source: AuthKeySource, env: Environment): BaseWallet {
  if (source.kind === "env") return new Wallet(privateKeyOf(env[source.variable], source.variable));
  if (!existsSync(source.file)) createKeyFile(source.file);
  if (process.platform !== "win32" && (statSync(source.file).mode & 0o077) !== 0) {
    throw new InputFailure("KEY_FILE_OPEN", "others than its owner may read or write the key file", {
      field: "relayAuth.file",
      remedy: `Run: chmod 600 ${source.file}`,
    });
  }
  return new Wallet(privateKeyOf(readKeyFile(source.file, "relayAuth.file").trim(), "relayAuth.file"));
}

function createKeyFile(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    // "wx": of two processes that start at once, one makes the file and both use it.
    writeFileSync(file, `${Wallet.createRandom().privateKey}\n`, { mode: 0o600, flag: "wx" });
    chmodSync(file, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unreadable("relayAuth.file");
  }
}

function privateKeyOf(text: string | undefined, field: string): string {
  const value = text?.trim() ?? "";
  if (value === "") {
    throw new InputFailure("KEY_MISSING", "no key is given", { field, remedy: "Set it to 0x and 64 hex digits." });
  }
  const hex = value.startsWith("0x") ? value : `0x${value}`;
  if (!isHexString(hex, 32)) throw malformedKey(field);
  try {
    return new Wallet(hex).privateKey;
  } catch {
    // Zero, or not below the curve's order. The library's message quotes the key.
    throw malformedKey(field);
  }
}

function malformedKey(field: string): InputFailure {
  return new InputFailure("KEY_MALFORMED", "is not a private key", { field, remedy: "Use 0x and 64 hex digits." });
}

function readKeyFile(file: string, field: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unreadable(field);
    throw new InputFailure("KEY_MISSING", `there is no file ${file}`, { field, remedy: "Name an existing file." });
  }
}

function unreadable(field: string): InputFailure {
  return new InputFailure("KEY_FILE_UNREADABLE", "the file cannot be read or written", {
    field,
    remedy: "Check its owner and permissions.",
  });
}
