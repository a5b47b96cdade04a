// Which venues the chain would not let a keeper leave, on the real vault: one that pays nothing does not keep the other in.
import { expect } from "chai";
import { unableToLeave } from "../../../keeper/execute/leaving";
import { account } from "../../scripts/relay/devNodes";
import { KEEPER, USDC, headOf, move, planFor, startVaultSystem, type VaultSystem } from "./vaultSystem";

describe("leaving venues", function () {
  this.timeout(60_000);
  let system: VaultSystem;
  before(async () => {
    system = await startVaultSystem();
    const { plan, decision } = await planFor(system, [
      move(system, 0, 300_000n * USDC),
      move(system, 1, 200_000n * USDC),
    ]);
    const keeper = system.vault.connect(account(KEEPER).connect(system.node.provider));
    const moves = plan.moves.map(({ adapter, assets }) => ({ adapter, assets, data: "0x" }));
    const { nonce, deadline, maxLoss } = plan;
    await (await keeper.rebalance(moves, { nonce, deadline, maxLoss, decision: decision.recordHash })).wait();
  });
  after(() => system.stop());

  const all = (venue: 0 | 1) => ({ ...move(system, venue, -1n), all: true });
  async function unable(moves: Parameters<typeof planFor>[1]) {
    const { plan } = await planFor(system, moves);
    const { number: block } = await headOf(system);
    const call = { vault: system.vaultAddress, keeper: account(KEEPER).address, gasLimit: 3_000_000n, block };
    return unableToLeave(system.node.provider, plan, call);
  }

  it("finds nothing where all can leave", async () => {
    expect(await unable([all(0), all(1)])).to.deep.equal([]);
  });

  it("names the one that reverts with the reason, and not the other", async () => {
    const tooMuch = move(system, 1, -10_000_000n * USDC);
    const found = await unable([all(0), tooMuch]);
    expect(found.map(({ venue }) => venue)).to.deep.equal(["venue-1"]);
    expect(found[0]?.why).to.match(/\w+\(/);
  });

  it("names all where none can leave, and the last ones where each can alone and together they cannot", async () => {
    const none = await unable([move(system, 0, -10_000_000n * USDC), move(system, 1, -10_000_000n * USDC)]);
    expect(none.map(({ venue }) => venue)).to.deep.equal(["venue-0", "venue-1"]);
    // The same adapter twice: each leg works, the vault refuses both in one plan.
    const twice = await unable([move(system, 0, -USDC), { ...move(system, 0, -USDC), venue: "again" }]);
    expect(twice).to.have.length(1);
    expect(twice[0]?.venue).to.equal("again");
    expect(twice[0]?.why).to.match(/together with the others: DuplicateMove/);
  });
});
