// The accounts of the local chain and of forks. A mnemonic of our own: the well-known ones are used
// on mainnet (delegations, nonces in the thousands), so a fork would start from somebody's state.
// Nothing derived from it may ever hold real money.
export const LOCAL_MNEMONIC = "dream urban crater knife embody jewel wear maximum patient someone motor carbon";

/** Index of each role on the path m/44'/60'/0'/0/i of {@link LOCAL_MNEMONIC}. */
export const LOCAL_ACCOUNT = {
  deployer: 0,
  /** Proposer of the timelock: stands for the owner's multisig. */
  owner: 1,
  guardian: 2,
  keeper: 3,
  depositor: 4,
  secondDepositor: 5,
  /** Mints the model tokens, pays the model savings vault's interest, owns Aave's local market. */
  market: 6,
  borrower: 7,
  trader: 8,
  liquidityProvider: 9,
} as const;

export type LocalRole = keyof typeof LOCAL_ACCOUNT;
