// The address file: what a deployment wrote, and all that the keeper knows of it. One per chain.
import { z } from "zod";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hex digits");

export const addressFileSchema = z.strictObject({
  format: z.literal("tiller-addresses/1"),
  network: z.enum(["local", "mainnet", "fork"]),
  chainId: z.number().int().positive(),
  /** Hash of block 0: tells a local chain that was started afresh from the one that this file is about. */
  genesisHash: z.string().regex(/^0x[0-9a-f]{64}$/),
  /** Block of the vault's creation: no log of it is older. */
  deployedAtBlock: z.number().int().nonnegative(),
  asset: z.strictObject({ address, symbol: z.string(), decimals: z.number().int().min(0).max(18) }),
  vault: address,
  timelock: address,
  lens: address,
  guardian: address,
  keepers: z.array(address).min(1),
  adapters: z
    .array(
      z.strictObject({
        /** Names the venue everywhere: in configs, decisions, on the page. */
        id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
        kind: z.enum(["aave-v3", "compound-v3", "erc4626", "sky-savings", "curve-3pool", "uniswap-v3"]),
        adapter: address,
        venue: address,
      }),
    )
    .max(10),
  /** Sells rewards of venues for the asset, and which. Files of older deployments, and of networks without one, have none. */
  auction: z
    .strictObject({
      auction: address,
      rewards: z.array(z.strictObject({ symbol: z.string(), token: address })),
    })
    .optional(),
  /** Of the breaker, as deployed with the vault. Files of older deployments have none. */
  conditions: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
        kind: z.enum([
          "share-price-fall",
          "oracle-trouble",
          "aave-v3-illiquid",
          "compound-v3-illiquid",
          "venue-reverting",
        ]),
        condition: address,
      }),
    )
    .optional(),
});

export type AddressFile = z.infer<typeof addressFileSchema>;
