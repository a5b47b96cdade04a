// What an auditor does: record a run on a live node through the recorder, then repeat it from the tape, with the node
// gone. The node here is the local chain with genuine Aave V3; Hardhat forks it as it would fork mainnet.
import { expect } from "chai";
import { Contract, HDNodeWallet, Mnemonic, type JsonRpcProvider } from "ethers";
import { HardhatNode } from "../../scripts/fork/hardhatNode";
import { openLocalnet } from "../../scripts/fork/localnetUpstream";
import { localPlaces, type ForkPlaces } from "../../scripts/fork/places";
import { recordTape } from "../../scripts/fork/recordTape";
import { assertForkSound, connect, startFork } from "../../scripts/fork/startFork";
import { LOCAL_MNEMONIC } from "../../deploy/networks/localAccounts";
import { localWallet } from "../../deploy/networks/localWallet";
import { TapeFolder } from "../scripts/fork/sampleTape";
import { DAY, USDC } from "./forkSuite";

const ERC20 = [
  "function approve(address, uint256) returns (bool)",
  "function balanceOf(address) view returns (uint256)",
];
const POOL = ["function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)"];
const START = 2_000_000_000;

describe("a run that was recorded", function () {
  this.timeout(120_000);
  const folder = new TapeFolder();
  after(() => folder.remove());

  /** The depositor of the local chain supplies to Aave; 30 days later. Times are set, so that it is the same each time. */
  async function supplied(provider: JsonRpcProvider, places: ForkPlaces): Promise<string[]> {
    const user = localWallet("depositor").connect(provider);
    const run = async (to: string, abi: string[], [method, ...args]: [string, ...unknown[]]): Promise<void> => {
      const sent = (await new Contract(to, abi, user).getFunction(method)(...args)) as { wait(): Promise<unknown> };
      await sent.wait();
    };
    const balance = async (token: string): Promise<string> =>
      String(await new Contract(token, ERC20, provider).getFunction("balanceOf")(user.address));
    await provider.send("evm_setNextBlockTimestamp", [START]);
    await run(places.usdc, ERC20, ["approve", places.aavePool, 1000n * USDC]);
    await provider.send("evm_setNextBlockTimestamp", [START + 12]);
    await run(places.aavePool, POOL, ["supply", places.usdc, 1000n * USDC, user.address, 0]);
    await provider.send("evm_setNextBlockTimestamp", [START + 30 * DAY]);
    await provider.send("evm_mine", []);
    return [await balance(places.usdc), await balance(places.aUsdc)];
  }

  it("runs again from its tape without the node, and no other run does", async () => {
    const file = folder.file("run.json.gz");
    const localnet = await openLocalnet();
    const places = localPlaces(localnet.protocols);
    let recorded: string[];
    try {
      const recorder = await recordTape({ upstreamUrl: localnet.url });
      const node = await HardhatNode.start({
        upstreamUrl: recorder.url,
        chainId: recorder.chainId,
        block: recorder.block,
        relayMines: false,
      });
      const provider = connect(node.url, recorder.chainId);
      recorded = await supplied(provider, places);
      provider.destroy();
      await node.stop();
      await recorder.save(file);
      expect((await recorder.close()).failures.total).to.equal(0);
    } finally {
      await localnet.close();
    }
    expect(Number(recorded[1])).to.be.greaterThan(Number(1000n * USDC));

    const again = await startFork({ upstream: { kind: "tape", file } });
    const replayed = await supplied(again.provider, places);
    const report = await again.stop();
    assertForkSound(report);
    expect(replayed).to.deep.equal(recorded);
    expect(report.tape?.zeros.total).to.equal(0);
    expect(report.tape?.hits).to.be.greaterThan(50);

    const other = await startFork({ upstream: { kind: "tape", file } });
    const stranger = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(LOCAL_MNEMONIC), "m/44'/60'/0'/0/999");
    const asked = await other.provider.getBalance(stranger.address).then(
      () => "answered",
      () => "refused",
    );
    const { failures } = await other.stop();
    expect(asked).to.equal("refused");
    // Balance, nonce and code are asked for at once.
    expect(failures[0]).to.contain(`not recorded: ${stranger.address.toLowerCase()}, `);
  });
});
