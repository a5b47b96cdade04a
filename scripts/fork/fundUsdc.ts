// USDC out of nothing, on forks only.
import { Contract, HDNodeWallet, Mnemonic, toBeHex, zeroPadValue, type JsonRpcProvider } from "ethers";
import { LOCAL_ACCOUNT, LOCAL_MNEMONIC } from "../../deploy/networks/localAccounts";
import { entrySlot } from "./freshEntries";

/** Slot of FiatTokenV2_2's mapping of balances. */
const BALANCES = 9;
/** FiatTokenV2_2 keeps a holder's blacklist flag in the highest bit of the balance. */
const BLACKLIST_BIT = 1n << 255n;

const USDC = ["function balanceOf(address) view returns (uint256)", "function mint(address to, uint256 amount)"];

export interface Funding {
  /** The token: mainnet's, or the local chain's model. */
  readonly usdc: string;
  readonly holder: string;
  /** 6 decimals. */
  readonly amount: bigint;
}

/**
 * Mainnet's USDC: writes the holder's balance into storage, for its minters' keys are Circle's. The total supply stays.
 * @throws RangeError if the balance would reach the blacklist flag.
 */
export async function writeUsdc(fork: JsonRpcProvider, { usdc, holder, amount }: Funding): Promise<void> {
  // A recorded state answers zero for a fresh account's entry only once it knows of the account.
  await fork.getBalance(holder);
  const before = (await new Contract(usdc, USDC, fork).getFunction("balanceOf")(holder)) as bigint;
  const after = before + amount;
  if (after >= BLACKLIST_BIT) throw new RangeError(`no USDC balance can be ${after}`);
  const slot = entrySlot(holder, toBeHex(BALANCES, 32));
  await fork.send("hardhat_setStorageAt", [usdc, slot, zeroPadValue(toBeHex(after), 32)]);
}

/** The model: minted by the deployer, who is one of its minters. Makes a block if the fork does not by itself. */
export async function mintUsdc(
  fork: JsonRpcProvider,
  { usdc, holder, amount }: Funding,
  relayMines: boolean,
): Promise<void> {
  const path = `m/44'/60'/0'/0/${LOCAL_ACCOUNT.deployer}`;
  const minter = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(LOCAL_MNEMONIC), path).connect(fork);
  const sent = (await new Contract(usdc, USDC, minter).getFunction("mint")(holder, amount, {
    gasLimit: 200_000,
  })) as { wait(): Promise<unknown> };
  if (relayMines) await fork.send("evm_mine", []);
  await sent.wait();
}
