// The keeper is killed after each step of the main path in turn, and started again: no decision may reach the chain
// twice, and none may be forgotten.
import { expect } from "chai";
import path from "node:path";
import { STEPS } from "../../keeper/events/steps";
import { openStore } from "../../keeper/store/open";
import { silent } from "../../keeper/events/events";
import {
  keeperEnvironment,
  landedRebalances,
  startLocalSystem,
  startScript,
  tiller,
  type Landed,
  type LocalSystem,
} from "./localSystem";

/** Runs after the kill within which something has to land. */
const RUNS = 4;

describe("a keeper killed between any two steps", function () {
  this.timeout(120_000);
  let system: LocalSystem;

  before(async () => {
    system = await startLocalSystem({ blockMs: 500, secondsPerBlock: 300 });
  });
  after(() => system.stop());

  for (const step of STEPS) {
    it(`after ${step}: neither sends twice nor forgets`, async () => {
      const mark = (await system.provider.send("evm_snapshot", [])) as string;
      const name = `killed-after-${step.replace(".", "-")}`;
      const config = system.configure(name);
      const from = await system.provider.getBlockNumber();

      const killed = await startScript("test/e2e/killedKeeper.ts", [config], keeperEnvironment({ KILL_AFTER: step }))
        .finished;
      expect(killed.signal, `${killed.stdout}\n${killed.stderr}`).to.equal("SIGKILL");

      // The first run after the kill settles what was begun. It may have nothing to land yet (a rate needs two blocks to
      // be known), or be too late for a plan's blocks; then the next one decides anew.
      let landed: Landed[] = [];
      for (let run = 0; run < RUNS && landed.length === 0; run += 1) {
        const again = await tiller(["run", "--once", "--config", config, "--json"]);
        expect(again.code, again.stderr).to.be.oneOf([0, 1]);
        if (again.code === 1) expect(again.stderr).to.contain("PLAN_ABANDONED");
        landed = await landedRebalances(system, from);
      }

      const store = await openStore({ dataDir: path.join(system.folder, name), sink: silent });
      try {
        const query = { chainId: 31337, vault: system.genesis.addresses.vault, limit: 100 };
        const decisions = (await store.decisions(query)).filter((decision) => decision.action === "rebalance");
        for (const decision of decisions) {
          const inclusions = landed.filter((item) => item.decision === decision.recordHash);
          expect(inclusions.length, `inclusions of ${decision.id}`).to.be.at.most(1);
          expect(decision.state, `${decision.id}: ${decision.stateReason}`).to.be.oneOf([
            "included",
            "final",
            "abandoned",
          ]);
          if (decision.state === "abandoned") {
            expect(inclusions).to.have.length(0);
            expect(decision.stateReason).to.have.length.greaterThan(5);
          } else {
            expect(inclusions.map((item) => item.txHash)).to.deep.equal([decision.txHash]);
          }
        }
        // Nothing lands that the store does not know of, and money that was idle did get to work.
        const known = new Set(decisions.map((decision) => decision.recordHash));
        expect(landed.filter((item) => !known.has(item.decision))).to.deep.equal([]);
        expect(landed.length).to.be.greaterThan(0);
        expect(new Set(landed.map((item) => item.nonce)).size).to.equal(landed.length);
      } finally {
        await store.close();
        system.relay.pause();
        await system.provider.send("evm_revert", [mark]);
        system.relay.resume();
      }
    });
  }
});
