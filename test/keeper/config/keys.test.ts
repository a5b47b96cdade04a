import { expect } from "chai";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Wallet, encryptKeystoreJsonSync } from "ethers";
import { InputFailure } from "../../../keeper/config/failure";
import { loadKeeperWallet, loadRelayAuthWallet } from "../../../keeper/config/keys";

const KEY = `0x${"4c".repeat(32)}`;
const ADDRESS = new Wallet(KEY).address;
const local = { network: "local", chainId: 31_337, keepers: [ADDRESS] } as const;
const mainnet = { network: "mainnet", chainId: 1, keepers: [ADDRESS] } as const;

async function failureOf(action: () => unknown): Promise<InputFailure> {
  try {
    await action();
  } catch (error) {
    expect(error).to.be.instanceOf(InputFailure);
    expect((error as InputFailure).line()).not.to.contain("4c4c4c4c");
    return error as InputFailure;
  }
  throw new Error("the key was accepted");
}

describe("keys", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-keys-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const env = { kind: "env", variable: "K" } as const;

  it("takes a key from the environment on the local chain and on forks", async () => {
    expect((await loadKeeperWallet(env, local, { K: KEY })).address).to.equal(ADDRESS);
    expect((await loadKeeperWallet(env, { ...mainnet, network: "fork" }, { K: KEY.slice(2) })).address).to.equal(
      ADDRESS,
    );
  });

  it("refuses a key from the environment on mainnet and on a local deployment of another chain id", async () => {
    expect((await failureOf(() => loadKeeperWallet(env, mainnet, { K: KEY }))).code).to.equal("KEY_SOURCE_REFUSED");
    const odd = { ...local, chainId: 1 };
    expect((await failureOf(() => loadKeeperWallet(env, odd, { K: KEY }))).code).to.equal("KEY_SOURCE_REFUSED");
  });

  it("names the variable when its key is absent or in the wrong format, without showing it", async () => {
    expect((await failureOf(() => loadKeeperWallet(env, local, {}))).line()).to.match(/^K: .*KEY_MISSING/);
    for (const wrong of [`${KEY}4c`, `${KEY.slice(0, -2)}zz`, `0x${"0".repeat(64)}`, `0x${"f".repeat(64)}`])
      expect((await failureOf(() => loadKeeperWallet(env, local, { K: wrong }))).line()).to.match(
        /^K: .*KEY_MALFORMED/,
      );
  });

  it("refuses the key of an account that is no keeper of the vault", async () => {
    const other = { ...local, keepers: [Wallet.createRandom().address] };
    expect((await failureOf(() => loadKeeperWallet(env, other, { K: KEY }))).code).to.equal("KEY_NOT_KEEPER");
  });

  it("opens a keystore with its password and names a wrong password or file", async () => {
    const file = path.join(folder, "keystore.json");
    writeFileSync(file, encryptKeystoreJsonSync(new Wallet(KEY), "right", { scrypt: { N: 2 } }));
    const passwordFile = path.join(folder, "password");
    writeFileSync(passwordFile, "right\n");
    const byFile = { kind: "keystore", file, passwordFile } as const;
    const byVariable = { kind: "keystore", file, passwordVariable: "P" } as const;
    expect((await loadKeeperWallet(byFile, mainnet, {})).address).to.equal(ADDRESS);
    expect((await loadKeeperWallet(byVariable, mainnet, { P: "right" })).address).to.equal(ADDRESS);
    expect((await failureOf(() => loadKeeperWallet(byVariable, mainnet, { P: "wrong" }))).code).to.equal(
      "KEY_PASSWORD_WRONG",
    );
    expect((await failureOf(() => loadKeeperWallet(byVariable, mainnet, {}))).field).to.equal("P");
    const missing = { ...byFile, file: path.join(folder, "none.json") };
    expect((await failureOf(() => loadKeeperWallet(missing, mainnet, {}))).code).to.equal("KEY_MISSING");
    writeFileSync(file, KEY);
    expect((await failureOf(() => loadKeeperWallet(byFile, mainnet, {}))).code).to.equal("KEY_MALFORMED");
  });

  it("makes the relay identity once, readable by its owner only", () => {
    const source = { kind: "file", file: path.join(folder, "new", "relay-auth.key") } as const;
    const first = loadRelayAuthWallet(source, {});
    expect(statSync(source.file).mode & 0o777).to.equal(0o600);
    expect(loadRelayAuthWallet(source, {}).address).to.equal(first.address);
    expect(readFileSync(source.file, "utf8").trim()).to.equal((first as Wallet).privateKey);
  });

  it("refuses a relay identity that others may read", async () => {
    const source = { kind: "file", file: path.join(folder, "open.key") } as const;
    writeFileSync(source.file, KEY);
    chmodSync(source.file, 0o644);
    expect((await failureOf(() => loadRelayAuthWallet(source, {}))).code).to.equal("KEY_FILE_OPEN");
  });
});
