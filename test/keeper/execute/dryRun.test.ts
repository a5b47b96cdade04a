import { expect } from "chai";
import { dryRun } from "../../../keeper/execute/dryRun";
import { decodeRebalance } from "../../../keeper/execute/encode";
import { account } from "../../scripts/relay/devNodes";
import {
  CHAIN_ID,
  KEEPER,
  USDC,
  type VaultSystem,
  headOf,
  landings,
  move,
  planFor,
  startVaultSystem,
} from "./vaultSystem";

describe("dry run", function () {
  this.timeout(60_000);
  let system: VaultSystem;
  before(async () => {
    system = await startVaultSystem();
  });
  after(() => system.stop());

  const optionsOf = (maxFeePerGas: bigint) => ({
    provider: system.node.provider,
    chainId: CHAIN_ID,
    vault: system.vaultAddress,
    keeper: account(KEEPER).address,
    settings: { maxFeePerGas, maxPriorityFeePerGas: 1n, gasLimit: 3_000_000n },
  });

  it("shows the transaction that would be sent, and sends nothing", async () => {
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const head = await headOf(system);
    const result = await dryRun(optionsOf(10n ** 11n), { plan, recordHash: decision.recordHash }, head);
    expect(result.simulation).to.deep.equal({ kind: "succeeds" });
    expect(result.targetBlock).to.equal(head.number + 1);
    expect(result.transaction).to.include({ type: 2, to: system.vaultAddress, nonce: 0, value: 0n });
    expect(decodeRebalance(result.transaction?.data ?? "")?.guard.decision).to.equal(decision.recordHash);
    await system.node.provider.send("evm_mine", []);
    expect(await landings(system)).to.deep.equal([]);
  });

  it("says why a plan would fail", async () => {
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)], { nonce: 77n });
    const result = await dryRun(optionsOf(10n ** 11n), { plan, recordHash: decision.recordHash }, await headOf(system));
    expect(result.simulation).to.deep.equal({ kind: "reverts", reason: "WrongNonce(given: 77, expected: 0)" });
  });

  it("shows no transaction while gas is over the ceiling", async () => {
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const result = await dryRun(optionsOf(1n), { plan, recordHash: decision.recordHash }, await headOf(system));
    expect(result.transaction).to.equal(null);
  });
});
