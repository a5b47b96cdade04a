// protocols.json: where everything on the local chain is.
import { z } from "zod";
import { getAddress } from "ethers";

const address = z.string().refine((text) => {
  try {
    return getAddress(text) === text;
  } catch {
    return false;
  }
}, "an address is 0x and 40 hex digits with its checksum");

const reserve = z.strictObject({ aToken: address, variableDebtToken: address, interestRateStrategy: address });

export const protocolsSchema = z.strictObject({
  format: z.literal("tiller-protocols/1"),
  chainId: z.number().int().positive(),
  /** Hash of block 0: the addresses are of that chain only. */
  genesisHash: z.string().regex(/^0x[0-9a-f]{64}$/),
  tokens: z.strictObject({
    ...{ usdc: address, usdt: address, weth: address },
    /** What Compound and Aave reward with. */
    ...{ comp: address, aave: address },
  }),
  /** Chainlink's shape, USD with 8 decimals. */
  feeds: z.strictObject({
    ...{ usdc: address, usdt: address, dai: address, eth: address },
    ...{ comp: address, aave: address },
  }),
  aave: z.strictObject({
    addressesProvider: address,
    pool: address,
    poolConfigurator: address,
    aclManager: address,
    oracle: address,
    dataProvider: address,
    reserves: z.strictObject({ usdc: reserve, usdt: reserve, weth: reserve }),
  }),
  uniswap: z.strictObject({
    factory: address,
    /** SwapRouter02. */
    swapRouter: address,
    /** QuoterV2. */
    quoter: address,
    positionManager: address,
    /** USDC/USDT at 0.01 %. */
    usdcUsdtPool: address,
  }),
  comet: address,
  /** Who pays what suppliers of Comet and holders of Aave's USDC have earned. */
  rewards: z.strictObject({ comet: address, aave: address }),
  savings: address,
  sky: z.strictObject({
    dai: address,
    usds: address,
    /** DAI against USDC. */
    litePsm: address,
    /** USDS against USDC, by the LitePSM. */
    psmWrapper: address,
    sUsds: address,
  }),
  /** Curve's pool of DAI, USDC and USDT, and its receipts. */
  threePool: z.strictObject({ pool: address, token: address }),
});

export type Protocols = z.infer<typeof protocolsSchema>;

/** Every address in it, each once. */
export function addressesIn(protocols: Protocols): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value)) found.add(value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
  };
  visit(protocols);
  return [...found];
}
