import { expect } from "chai";
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { getBytes, hexlify, Wallet } from "ethers";
import { deployVault } from "../../deploy/deployVault";
import { localWallet } from "../../deploy/networks/localWallet";
import type { AddressFile } from "../../keeper/config/addressFile";
import { Vault__factory, VaultTimelock__factory } from "../../typechain-types";
import { TestChain } from "./localChain";

const ROOT = path.join(__dirname, "..", "..");

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(script: string, args: readonly string[], env: Record<string, string | undefined> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["-r", "tsx/cjs", path.join(ROOT, "deploy", script), ...args],
      // A CI's environment asks for colours, which would stand between a word and the next.
      { cwd: ROOT, env: { ...process.env, NO_COLOR: "1", ...env } },
      (error, stdout, stderr) => resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe("the deployment's commands", () => {
  let chain: TestChain;
  let file: string;
  let env: Record<string, string>;

  before(async () => {
    chain = await TestChain.start();
  });
  after(() => chain.stop());
  beforeEach(async () => {
    file = path.join(await chain.reset(), "addresses.json");
    env = { RPC_URL: chain.url };
  });

  const deploy = (args: readonly string[], more: Record<string, string | undefined> = {}): Promise<Ended> =>
    run("main.ts", ["--network", "local", "--protocols", chain.protocolsFile, "--addresses", file, ...args], {
      ...env,
      ...more,
    });
  const check = (args: readonly string[] = []): Promise<Ended> =>
    run("check.ts", ["--addresses", file, "--json", ...args], env);
  const failing = (ended: Ended): string[] =>
    (JSON.parse(ended.stdout) as { checks: { name: string; ok: boolean }[] }).checks
      .filter(({ ok }) => !ok)
      .map(({ name }) => name);

  describe("npm run deploy", () => {
    it("deploys with a key from the environment and shows it nowhere", async () => {
      const key = localWallet("deployer").privateKey;
      const ended = await deploy([], { TILLER_DEPLOYER_KEY: key });
      expect(ended.status, ended.stderr).to.equal(0);
      expect(ended.stdout + ended.stderr + readFileSync(file, "utf8")).to.not.contain(key.slice(2));
      expect(readFileSync(file.replace(".json", ".journal.json"), "utf8")).to.not.contain(key.slice(2));
      const checked = await check();
      expect([checked.status, failing(checked)]).to.deep.equal([0, []]);
    });

    it("finishes, sending each step once, after kill -9 while a step waits for its block", async () => {
      const before = await chain.provider.getTransactionCount(localWallet("deployer").address);
      const planned = (await deploy(["--dry-run"])).stdout.match(/would send/g)?.length;
      await chain.provider.send("evm_setAutomine", [false]);
      const child = spawn(
        process.execPath,
        [
          "-r",
          "tsx/cjs",
          "deploy/main.ts",
          "--network",
          "local",
          "--protocols",
          chain.protocolsFile,
          "--addresses",
          file,
        ],
        { cwd: ROOT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] },
      );
      const ended = new Promise((resolve) => child.once("exit", resolve));
      await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
      child.kill("SIGKILL");
      await ended;
      await chain.provider.send("evm_mine", []);
      await chain.provider.send("evm_setAutomine", [true]);

      const again = await deploy([]);
      expect(again.status, again.stderr).to.equal(0);
      const after = await chain.provider.getTransactionCount(localWallet("deployer").address);
      expect(after - before).to.equal(planned);
    });

    it("names the field of bad input in one line, with exit code 2", async () => {
      const secret = Wallet.createRandom().privateKey.slice(2, 60);
      for (const [args, more, expected] of [
        [[], { TILLER_DEPLOYER_KEY: secret }, /^deploy: TILLER_DEPLOYER_KEY: is not a private key \(KEY_MALFORMED\)/],
        [["--seed", "much"], {}, /^deploy: --seed: much is no amount of USDC/],
        [["--owner", "0x12"], {}, /^deploy: roles.owner: 0x12 is not an address/],
        [["--ownr", "0x12"], {}, /^deploy: command line: Unknown option '--ownr'/],
        [["--network", "moon"], {}, /^deploy: --network: is not a network/],
        [["--protocols", "nowhere.json"], {}, /^deploy: --protocols: there is no file nowhere.json/],
        [[], { RPC_URL: "localhost" }, /^deploy: RPC_URL: is not an http or https URL/],
        [["--network", "fork"], {}, /^deploy: RPC_URL: the node is of chain 31337, not 1/],
        [["--network", "mainnet", "--owner", "x"], {}, /^deploy: --guardian: is not given/],
        [["--key-variable", "NOT_SET_ANYWHERE"], {}, /^deploy: NOT_SET_ANYWHERE: no key is given/],
      ] as const) {
        const ended = await deploy(args, more);
        expect(ended.stderr, args.join(" ")).to.match(expected);
        expect(ended.stderr.trim().split("\n"), args.join(" ")).to.have.length(1);
        expect(ended.stderr).to.not.contain(secret);
        expect(ended.status, args.join(" ")).to.equal(2);
        expect(existsSync(file)).to.equal(false);
      }
    });

    it("takes no key from the environment for mainnet", async () => {
      const roles = ["owner", "guardian", "keeper"] as const;
      const named = roles.flatMap((role) => [`--${role}`, localWallet(role).address]);
      const ended = await deploy(["--network", "mainnet", ...named], {
        TILLER_DEPLOYER_KEY: Wallet.createRandom().privateKey,
      });
      expect([ended.status, ended.stderr.includes("KEY_SOURCE_REFUSED")]).to.deep.equal([2, true]);
    });

    it("says that a node is down, with exit code 1", async () => {
      const ended = await deploy([], { RPC_URL: "http://127.0.0.1:9" });
      expect([ended.status, ended.stderr.includes("NODE_REFUSED")]).to.deep.equal([1, true]);
    });
  });

  describe("npm run deploy:check", () => {
    let made: AddressFile;
    beforeEach(async () => {
      made = await deployVault({ ...chain.deployment(path.dirname(file)), addressFile: file });
    });

    const tampered = async (change: Partial<AddressFile>): Promise<string[]> => {
      writeFileSync(file, JSON.stringify({ ...made, ...change }));
      const ended = await check();
      expect(ended.status, ended.stderr).to.equal(1);
      return failing(ended);
    };

    it("passes, and prints powers and every parameter", async () => {
      const ended = await run("check.ts", ["--addresses", file], env);
      expect(ended.status, ended.stderr).to.equal(0);
      for (const line of [
        /All \d+ checks pass/,
        /timelock delay +24 h/,
        /loss budget +0\.1 %/,
        /guardian +0x/,
        /COMP: sold down to +95 %/,
      ]) {
        expect(ended.stdout).to.match(line);
      }
      expect(ended.stdout).to.not.match(/declared \d/);
    });

    it("finds every part of a tampered address file", async () => {
      const [aave, comet, ...others] = made.adapters;
      if (aave === undefined || comet === undefined || others.length !== 4) throw new Error("six venues");
      const stranger = localWallet("trader").address;
      expect(await tampered({ vault: made.lens })).to.include("code of the vault");
      expect(await tampered({ timelock: stranger })).to.deep.equal(["code of the timelock"]);
      expect(await tampered({ lens: made.timelock })).to.deep.equal(["code of the lens"]);
      expect(await tampered({ guardian: stranger })).to.deep.equal(["guardian"]);
      expect(await tampered({ keepers: [stranger] })).to.deep.equal(["keepers are those of the file"]);
      expect(await tampered({ asset: { ...made.asset, address: chain.protocols.tokens.usdt } })).to.include("asset");
      expect(await tampered({ adapters: [aave, comet] })).to.deep.equal(["adapters are those of the file"]);
      const swapped = [{ ...aave, adapter: comet.adapter }, { ...comet, adapter: aave.adapter }, ...others];
      expect(await tampered({ adapters: swapped })).to.include("code of the adapter aave-v3-usdc");
      const elsewhere = [{ ...aave, venue: comet.venue }, comet, ...others];
      expect(await tampered({ adapters: elsewhere })).to.deep.equal(["adapter aave-v3-usdc"]);
      const { auction, rewards } = made.auction ?? { auction: "", rewards: [] };
      expect(await tampered({ auction: { auction: made.lens, rewards } })).to.deep.equal(["code of the auction"]);
      const renamed = rewards.map((reward) => ({
        ...reward,
        symbol: reward.symbol === "COMP" ? "WETH" : reward.symbol,
      }));
      expect(await tampered({ auction: { auction, rewards: renamed } })).to.deep.equal(["auction: WETH"]);
    });

    it("finds one changed byte of code", async () => {
      const code = getBytes(await chain.provider.getCode(made.vault));
      code.set([(code[5_000] ?? 0) ^ 1], 5_000);
      await chain.provider.send("anvil_setCode", [made.vault, hexlify(code)]);
      const ended = await check();
      expect([ended.status, failing(ended)]).to.deep.equal([1, ["code of the vault"]]);
    });

    it("finds a keeper and a timelock administrator whom nobody announced", async () => {
      const stranger = localWallet("trader").address;
      for (const address of [made.timelock]) {
        await chain.provider.send("anvil_impersonateAccount", [address]);
        await chain.provider.send("anvil_setBalance", [address, "0x8ac7230489e80000"]);
      }
      const owner = await chain.provider.getSigner(made.timelock);
      await (await Vault__factory.connect(made.vault, owner).setKeeper(stranger, true)).wait();
      const timelock = VaultTimelock__factory.connect(made.timelock, owner);
      await (await timelock.grantRole(await timelock.DEFAULT_ADMIN_ROLE(), stranger)).wait();
      const ended = await check();
      expect(failing(ended)).to.deep.equal(["the timelock alone administers itself", "keepers are those of the file"]);
    });

    it("shows a parameter that was changed since, without calling it a fault", async () => {
      const guardian = localWallet("guardian").connect(chain.provider);
      await (await Vault__factory.connect(made.vault, guardian).setDepositCap(1_000_000n)).wait();
      const ended = await run("check.ts", ["--addresses", file], env);
      expect([
        ended.status,
        /deposit cap +1\.0 USDC +declared 30000000000000, is 1000000/.test(ended.stdout),
      ]).to.deep.equal([0, true]);
    });

    it("tells bad input from a failing check by exit code 2", async () => {
      writeFileSync(file, JSON.stringify({ ...made, vault: "0x12" }));
      const malformed = await check();
      expect([malformed.status, malformed.stderr.includes("ADDRESSES_MALFORMED")]).to.deep.equal([2, true]);
      writeFileSync(file, JSON.stringify({ ...made, genesisHash: `0x${"1".repeat(64)}` }));
      const other = await check();
      expect([other.status, other.stderr.includes("CHAIN_WRONG")]).to.deep.equal([2, true]);
      const unnamed = await run("check.ts", [], env);
      expect([unnamed.status, unnamed.stderr.includes("--addresses")]).to.deep.equal([2, true]);
    });
  });
});
