import { expect } from "chai";
import { Wallet, id, toBeHex } from "ethers";
import { type Relay, startRelay } from "../../../scripts/relay/relay";
import { type TestNode, account, startAnvil, startHardhat } from "./devNodes";
import { type TransactionWish, ask, signed } from "./relayClient";

/** Runtime code that always reverts, and what a transaction to it needs. */
const REVERTER = "0x00000000000000000000000000000000000bad00";
const REVERTING: Partial<TransactionWish> = { to: REVERTER, value: 0n };
const SECONDS_PER_BLOCK = 12;

for (const [name, startNode] of [
  ["anvil", startAnvil],
  ["a Hardhat node", startHardhat],
] as const) {
  describe(`block maker on ${name}`, function () {
    this.timeout(120_000);
    let node: TestNode;
    let relay: Relay;

    beforeEach(async () => {
      node = await startNode();
      await node.provider.send("hardhat_setCode", [REVERTER, "0x60006000fd"]);
      relay = await startRelay({ nodeUrl: node.url, port: 0, blockMs: 0, secondsPerBlock: SECONDS_PER_BLOCK });
    });

    afterEach(async () => {
      await relay.stop();
      await node.stop();
    });

    const height = (): Promise<number> => node.provider.getBlockNumber();
    const nonceOf = (index: number): Promise<number> => node.provider.getTransactionCount(account(index).address);
    const hashesIn = async (block: number): Promise<readonly string[]> =>
      (await node.provider.getBlock(block))?.transactions ?? [];
    const sendPublic = (raw: string): Promise<unknown> => node.provider.send("eth_sendRawTransaction", [raw]);
    const sendBundle = async (txs: string[], block: number, more: Record<string, unknown> = {}): Promise<string> => {
      const { result, error } = await ask(relay.url, "eth_sendBundle", [{ txs, blockNumber: toBeHex(block), ...more }]);
      expect(error, JSON.stringify(error)).to.equal(undefined);
      return (result as { bundleHash: string }).bundleHash;
    };

    it("puts a bundle first, in order and contiguous, and the public pool after it", async () => {
      const publicOnes = [await signed(4, { nonce: 0 }), await signed(5, { nonce: 0 }), await signed(4, { nonce: 1 })];
      for (const { raw } of publicOnes) await sendPublic(raw);
      const bundled = [await signed(3, { nonce: 0 }), await signed(6, { nonce: 0 }), await signed(3, { nonce: 1 })];
      const hash = await sendBundle(
        bundled.map(({ raw }) => raw),
        (await height()) + 1,
      );
      const before = await node.provider.getBlock("latest");
      const block = await relay.produceBlock();
      expect(block.bundles).to.deep.equal([hash]);
      expect(block.timestamp).to.equal((before?.timestamp ?? 0) + SECONDS_PER_BLOCK);
      expect(await hashesIn(block.number)).to.deep.equal([...bundled, ...publicOnes].map((each) => each.hash));
    });

    it("leaves no trace of a bundle whose second transaction reverts, and loses no public transaction", async () => {
      const publicOnes = [await signed(4, { nonce: 0 }), await signed(5, { nonce: 0 }), await signed(4, { nonce: 1 })];
      for (const { raw } of publicOnes) await sendPublic(raw);
      const queued = await signed(7, { nonce: 1 });
      await sendPublic(queued.raw);
      const bundled = [await signed(3, { nonce: 0 }), await signed(3, { nonce: 1, ...REVERTING })];
      const before = await node.provider.getBalance(account(3).address);
      await sendBundle(
        bundled.map(({ raw }) => raw),
        (await height()) + 1,
      );
      const block = await relay.produceBlock();
      expect(block.bundles).to.deep.equal([]);
      expect(block.rejected).to.have.length(1);
      expect([...(await hashesIn(block.number))].sort()).to.deep.equal(publicOnes.map((each) => each.hash).sort());
      expect(await node.provider.getBalance(account(3).address)).to.equal(before);
      expect(await nonceOf(3)).to.equal(0);
      for (const { hash } of bundled)
        expect(await node.provider.getTransaction(hash), "gone from the pool").to.equal(null);

      await sendPublic((await signed(7, { nonce: 0 })).raw);
      const next = await relay.produceBlock();
      expect(await hashesIn(next.number)).to.include(queued.hash);
      expect(await nonceOf(3)).to.equal(0);
    });

    it("includes a bundle in its target block only", async () => {
      const { raw } = await signed(3, { nonce: 0 });
      await sendBundle([raw], (await height()) + 2);
      expect((await relay.produceBlock()).bundles).to.have.length(0);
      expect((await relay.produceBlock()).bundles).to.have.length(1);

      await sendBundle([(await signed(3, { nonce: 1 })).raw], (await height()) + 1, { minTimestamp: 4_000_000_000 });
      expect((await relay.produceBlock()).bundles).to.have.length(0);
      expect((await relay.produceBlock()).bundles).to.have.length(0);
      expect(await nonceOf(3)).to.equal(1);
    });

    it("keeps what cannot be mined at the top of the block out of the pool", async () => {
      const target = (await height()) + 1;
      const wishes: TransactionWish[] = [
        { nonce: 1 },
        { nonce: 0, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n },
        { nonce: 0, chainId: 5 },
        { nonce: 0, value: 10n ** 30n },
      ];
      for (const wish of wishes) await sendBundle([(await signed(3, wish)).raw], target);
      const block = await relay.produceBlock();
      expect(block.rejected).to.have.length(wishes.length);
      expect(await hashesIn(block.number)).to.have.length(0);
      for (const wish of wishes) {
        expect(await node.provider.getTransaction((await signed(3, wish)).hash)).to.equal(null);
      }
    });

    it("lets a good bundle in although another one of the block fails", async () => {
      const target = (await height()) + 1;
      const bad = await sendBundle([(await signed(4, { nonce: 0, ...REVERTING })).raw], target);
      const good = await sendBundle([(await signed(3, { nonce: 0 })).raw], target);
      const twin = await sendBundle([(await signed(3, { nonce: 0, value: 2n })).raw], target);
      const block = await relay.produceBlock();
      expect(block.bundles).to.deep.equal([good]);
      expect(block.rejected.map(({ bundle }) => bundle).sort()).to.deep.equal([bad, twin].sort());
    });

    it("accepts a revert that the bundle allows", async () => {
      const reverting = await signed(3, { nonce: 0, ...REVERTING });
      await sendBundle([reverting.raw], (await height()) + 1, { revertingTxHashes: [reverting.hash] });
      expect((await relay.produceBlock()).bundles).to.have.length(1);
      expect((await node.provider.getTransactionReceipt(reverting.hash))?.status).to.equal(0);
    });

    it("leaves transactions of impersonated accounts in the pool, and in order", async () => {
      const ghost = "0x00000000000000000000000000000000000000aa";
      await node.provider.send("hardhat_impersonateAccount", [ghost]);
      await node.provider.send("hardhat_setBalance", [ghost, "0xde0b6b3a7640000"]);
      const sent = (await node.provider.send("eth_sendTransaction", [
        { from: ghost, to: REVERTER, value: "0x0", gas: "0x186a0" },
      ])) as string;
      await sendBundle([(await signed(3, { nonce: 0 })).raw], (await height()) + 1);
      const block = await relay.produceBlock();
      expect(block.bundles).to.have.length(1);
      expect(await hashesIn(block.number)).to.include(sent);
    });

    it("leaves all transactions of a sender where they are when one of them has no signature", async () => {
      const mixed = new Wallet(id(`a sender on ${name}`));
      await node.provider.send("hardhat_setBalance", [mixed.address, "0xde0b6b3a7640000"]);
      const fees = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
      const to = account(9).address;
      await sendPublic(
        await mixed.signTransaction({ type: 2, chainId: 31337, nonce: 0, to, gasLimit: 21_000n, ...fees }),
      );
      await node.provider.send("hardhat_impersonateAccount", [mixed.address]);
      const unsigned = { from: mixed.address, to, nonce: "0x1", gas: "0x5208", gasPrice: "0x174876e800" };
      await node.provider.send("eth_sendTransaction", [unsigned]);
      await sendBundle([(await signed(3, { nonce: 0 })).raw], (await height()) + 1);
      expect((await relay.produceBlock()).bundles).to.have.length(1);
      expect(await node.provider.getTransactionCount(mixed.address)).to.equal(2);
    });

    it("takes an included block back when told to, keeping public transactions", async () => {
      relay.misbehave({ reorgDepth: 2 });
      const ours = await signed(3, { nonce: 0 });
      const theirs = await signed(4, { nonce: 0 });
      const later = await signed(5, { nonce: 0 });
      await sendPublic(theirs.raw);
      await sendBundle([ours.raw], (await height()) + 1);
      const included = await relay.produceBlock();
      expect(included.bundles).to.have.length(1);
      await sendPublic(later.raw);
      await relay.produceBlock();
      expect(await nonceOf(3)).to.equal(1);
      const third = await relay.produceBlock();
      expect(third.reorgedBlocks).to.equal(2);
      expect(third.number).to.equal(included.number + 2);
      expect((await node.provider.getBlock(included.number))?.hash).to.not.equal(included.hash);
      expect(await node.provider.getTransactionReceipt(ours.hash)).to.equal(null);
      expect(await nonceOf(3)).to.equal(0);
      expect((await node.provider.getTransactionReceipt(theirs.hash))?.status).to.equal(1);
      expect((await node.provider.getTransactionReceipt(later.hash))?.status).to.equal(1);
    });

    it("never includes when told so, and does again when not", async () => {
      relay.misbehave({ neverInclude: true });
      const { raw } = await signed(3, { nonce: 0 });
      await sendBundle([raw], (await height()) + 1);
      expect((await relay.produceBlock()).bundles).to.have.length(0);
      relay.misbehave({});
      await sendBundle([raw], (await height()) + 1);
      expect((await relay.produceBlock()).bundles).to.have.length(1);
    });

    it("carries a private transaction until it lands", async () => {
      relay.misbehave({ neverInclude: true });
      const { raw, hash } = await signed(3, { nonce: 0 });
      const { result } = await ask(relay.url, "eth_sendPrivateTransaction", [
        { tx: raw, maxBlockNumber: (await height()) + 5 },
      ]);
      expect(result).to.equal(hash);
      await relay.produceBlock();
      await relay.produceBlock();
      relay.misbehave({});
      expect((await relay.produceBlock()).bundles).to.have.length(1);
      expect((await node.provider.getTransactionReceipt(hash))?.status).to.equal(1);
    });
  });
}
