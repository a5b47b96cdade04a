// Turns an action into its actor's signed transaction and puts it into the node's public pool.
import type { HDNodeWallet, JsonRpcProvider } from "ethers";
import { LOCAL_CHAIN_ID } from "../anvil";
import { DAI_PER_USDC, UNISWAP_FEE_PIPS } from "../protocols/parameters";
import type { Protocols } from "../protocols/protocolsFile";
import { localWallet } from "../../../deploy/networks/localWallet";
import type { MarketContracts } from "./contracts";
import { STABLE_COINS, type MarketAction, type MarketActor, type StableCoin } from "./marketState";

const VARIABLE_RATE = 2;
const NO_REFERRAL = 0;
/** Above what any of these needs; an estimate would be made on a state that the block may not have any more. */
const GAS_LIMIT = 1_000_000;
/** Far above a local base fee, so that no transaction is stuck behind a rise. */
const MAX_FEE_PER_GAS = 200_000_000_000n;
const TIP_PER_GAS = 1_000_000_000n;
/** A trader takes at worst 2 % under par. */
const WORST_PRICE_BPS = 9_800n;

const WALLETS: Record<MarketActor, HDNodeWallet> = {
  market: localWallet("market"),
  borrower: localWallet("borrower"),
  trader: localWallet("trader"),
};

/** True while a transaction of one of the actors waits in the pool: what the chain shows is not what they know. */
export async function hasPending(provider: JsonRpcProvider): Promise<boolean> {
  const waiting = await Promise.all(
    Object.values(WALLETS).map(async ({ address }) => {
      const [mined, known] = await Promise.all([
        provider.getTransactionCount(address, "latest"),
        provider.getTransactionCount(address, "pending"),
      ]);
      return known > mined;
    }),
  );
  return waiting.includes(true);
}

/** Signs and sends; the nonce is the node's next one, so a killed run leaves no gap. Returns the transaction's hash. */
export async function sendAction(
  provider: JsonRpcProvider,
  action: MarketAction,
  on: { readonly contracts: MarketContracts; readonly protocols: Protocols },
): Promise<string> {
  const wallet = WALLETS[action.actor];
  const { to, data } = callOf(action, on.contracts, on.protocols);
  const signed = await wallet.signTransaction({
    ...{ type: 2, chainId: LOCAL_CHAIN_ID, to, data, gasLimit: GAS_LIMIT },
    ...{ maxFeePerGas: MAX_FEE_PER_GAS, maxPriorityFeePerGas: TIP_PER_GAS },
    nonce: await provider.getTransactionCount(wallet.address, "pending"),
  });
  return (await provider.send("eth_sendRawTransaction", [signed])) as string;
}

function callOf(action: MarketAction, contracts: MarketContracts, on: Protocols): { to: string; data: string } {
  const { usdc, weth } = on.tokens;
  const who = WALLETS[action.actor].address;
  const aave = (method: string, args: readonly unknown[]) => ({
    to: on.aave.pool,
    data: contracts.aavePool.interface.encodeFunctionData(method, args),
  });
  const comet = (method: "supply" | "withdraw", asset: string, amount: bigint) => ({
    to: on.comet,
    data:
      method === "supply"
        ? contracts.comet.interface.encodeFunctionData("supply", [asset, amount])
        : contracts.comet.interface.encodeFunctionData("withdraw", [asset, amount]),
  });
  switch (action.kind) {
    case "borrow":
      return action.venue === "aave"
        ? aave("borrow", [usdc, action.amount, VARIABLE_RATE, NO_REFERRAL, who])
        : comet("withdraw", usdc, action.amount);
    case "repay":
      return action.venue === "aave"
        ? aave("repay", [usdc, action.amount, VARIABLE_RATE, who])
        : comet("supply", usdc, action.amount);
    case "supply":
      return action.venue === "aave"
        ? aave("supply", [usdc, action.amount, who, NO_REFERRAL])
        : comet("supply", usdc, action.amount);
    case "withdraw":
      return action.venue === "aave"
        ? aave("withdraw", [usdc, action.amount, who])
        : comet("withdraw", usdc, action.amount);
    case "secure":
      return action.venue === "aave"
        ? aave("supply", [weth, action.amount, who, NO_REFERRAL])
        : comet("supply", weth, action.amount);
    case "swap": {
      const [tokenIn, tokenOut] = action.sell === "usdc" ? [usdc, on.tokens.usdt] : [on.tokens.usdt, usdc];
      const order = {
        ...{ tokenIn, tokenOut, fee: UNISWAP_FEE_PIPS, recipient: who, amountIn: action.amount },
        ...{ amountOutMinimum: (action.amount * WORST_PRICE_BPS) / 10_000n, sqrtPriceLimitX96: 0n },
      };
      return {
        to: on.uniswap.swapRouter,
        data: contracts.swapRouter.interface.encodeFunctionData("exactInputSingle", [order]),
      };
    }
    case "exchange": {
      const least = (inUsdc(action.sell, action.amount) * WORST_PRICE_BPS) / 10_000n;
      return {
        to: on.threePool.pool,
        data: contracts.threePool.interface.encodeFunctionData("exchange", [
          STABLE_COINS.indexOf(action.sell),
          STABLE_COINS.indexOf(action.buy),
          action.amount,
          action.buy === "dai" ? least * DAI_PER_USDC : least,
        ]),
      };
    }
    case "mint":
      return {
        to: action.token === "dai" ? on.sky.dai : on.tokens[action.token],
        data: contracts.usdc.interface.encodeFunctionData("mint", [WALLETS[action.to].address, action.amount]),
      };
    case "fund-savings":
      return { to: on.savings, data: contracts.savings.interface.encodeFunctionData("fund", [action.amount]) };
    case "report-price":
      return {
        to: on.feeds[action.feed],
        data: contracts.feeds[action.feed].interface.encodeFunctionData("push", [action.answer]),
      };
  }
}

function inUsdc(coin: StableCoin, amount: bigint): bigint {
  return coin === "dai" ? amount / DAI_PER_USDC : amount;
}
