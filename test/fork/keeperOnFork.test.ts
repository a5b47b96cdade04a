// The main job on a fork, the keeper in a process of its own: deploy, deposit, one rebalance landed as a bundle, a
// month of interest, everything paid out.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { keeperOnFork, type Story } from "../../scripts/fork/keeperOnFork";
import { assertForkSound, startFork, type Fork } from "../../scripts/fork/startFork";
import { skipWithoutComet, standsOn, USDC } from "./forkSuite";

const DEPOSIT = 1_000_000n * USDC;

describe(`the keeper, on a fork of ${standsOn()}`, function () {
  this.timeout(240_000);
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-fork-"));
  let fork: Fork | undefined;
  let story: Story;

  before(async function () {
    fork = await startFork({ relayMines: true });
    await skipWithoutComet(this, fork);
    story = await keeperOnFork(fork, { folder, deposit: DEPOSIT });
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    if (fork) assertForkSound(await fork.stop());
  });

  it("lands exactly one rebalance, which places most of the deposit", () => {
    expect(story.landed).to.have.length(1);
    expect(Number(story.landed[0]?.moved)).to.be.within(Number(DEPOSIT) * 0.5, Number(DEPOSIT) * 1.001);
  });

  it("lends to Aave V3's USDC reserve, where it grows for 30 days", () => {
    const { placed, grown } = story.aUsdc;
    expect(Number(placed)).to.be.greaterThan(Number(DEPOSIT) * 0.1);
    expect(Number(grown) / Number(placed)).to.be.within(1.0005, 1.05);
  });

  it("pays the deposit and the interest out", () => {
    const interest = Number(story.paid - DEPOSIT);
    expect(interest).to.be.at.least(Number(story.aUsdc.grown - story.aUsdc.placed));
    expect(interest).to.be.below(Number(DEPOSIT) * 0.05);
  });
});
