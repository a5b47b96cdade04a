// What Slither finds in the contracts and what stays, each with its reason. The number is how often a function has it: a
// further finding in the same place is a new one.

interface Waiver {
  readonly check: string;
  readonly at: Readonly<Record<string, number>>;
  readonly why: string;
}

export const WAIVERS: readonly Waiver[] = [
  {
    check: "reentrancy-balance",
    at: { "Breaking.emergencyExit": 1, "Breaking.guardianExit": 1 },
    why: "Runs in the vault, under its reentrancy guard: idle can only grow meanwhile, by what somebody gives away.",
  },
  {
    check: "reentrancy-events",
    at: {
      "Breaking.emergencyExit": 1,
      "Breaking.guardianExit": 1,
      "InKind.payPart": 1,
      "InKind.redeem": 1,
      "InKind.redeemClaim": 1,
      "Rebalancing.carryOut": 1,
      "Rebalancing.depositMove": 1,
      "Rebalancing.rebalance": 1,
    },
    why: "The vault's reentrancy guard keeps the order of its events; they tell what the call did, so they come after it.",
  },
  {
    check: "incorrect-equality",
    at: { "Accounting.current": 1, "Accounting.limitBase": 1 },
    why: "Asks whether something happened in this very block.",
  },
  {
    check: "incorrect-equality",
    at: { "Accounting.forecast": 1 },
    why: "Whether a gain rounds down to nothing, when its seconds are carried over. Nobody outside can move `growth`.",
  },
  {
    check: "incorrect-equality",
    at: { "Rebalancing.checkLoss": 1 },
    why: "A plan that lost nothing has no loss to check; one unit more is checked.",
  },
  {
    check: "incorrect-equality",
    at: {
      "AaveV3Adapter.withdraw": 1,
      "CompoundV3Adapter.withdraw": 1,
      "Breaking.emergencyExit": 1,
      "Breaking.guardianExit": 1,
    },
    why: "Nothing is there to withdraw, or nothing came. Whoever gives the adapter a unit only makes the call go on and pay it.",
  },
  {
    check: "timestamp",
    at: { "Accounting.current": 1, "Accounting.limitBase": 1, "Vault.accrueNow": 1 },
    why: "Compared for equality only: is it the same block.",
  },
  {
    check: "timestamp",
    at: {
      "Accounting.fees": 1,
      "Accounting.forecast": 1,
      "Accounting.isWipedOut": 1,
      "RateBudget.available": 1,
      "RateBudget.usedNow": 1,
    },
    why: "Amounts that grow with time by the second are compared, and no moment decides anything.",
  },
  {
    check: "timestamp",
    at: {
      "BreakerState.get": 1,
      "Breaking.arm": 1,
      "Breaking.guardianTrip": 1,
      "Breaking.trip": 1,
      "Rebalancing.rebalance": 1,
    },
    why: "Windows of half an hour to days, and a deadline of the keeper's own. A slot's twelve seconds change nothing.",
  },
  {
    check: "timestamp",
    at: {
      "OracleTrouble.holds": 1,
      "OracleTrouble.outsideThroughout": 1,
      "SharePriceFall.holds": 1,
      "SharePriceFall.observe": 1,
      "VenueIlliquid.averageRate": 1,
      "VenueIlliquid.holds": 1,
      "VenueIlliquid.observe": 1,
    },
    why: "Ages of what was observed: quarters of an hour and more, or whether it was in this very block.",
  },
  {
    check: "timestamp",
    at: { "CompoundV3Illiquid.debtIndex": 1 },
    why: "Time since Comet's last accrual, as Comet itself counts it.",
  },
  {
    check: "incorrect-equality",
    at: { "CompoundV3Illiquid.debtIndex": 1, "VenueIlliquid.averageRate": 1, "VenueIlliquid.holds": 1 },
    why: "No time since an accrual, no checkpoint yet, or a shortage seen in this very block: nothing between can be meant.",
  },
  {
    check: "calls-loop",
    at: { "VenueReverting.foundBefore": 2 },
    why: "At most ten adapters, asked of the vault itself; a revert means that the condition does not hold.",
  },
  {
    check: "reentrancy-benign",
    at: { "SharePriceFall.observe": 1 },
    why: "`accrue` comes first on purpose; who names a contract that is no vault writes that contract's entries only.",
  },
  {
    check: "reentrancy-events",
    at: { "SharePriceFall.observe": 1 },
    why: "As above: the event tells what the accrual led to.",
  },
  {
    check: "unused-return",
    at: { "SharePriceFall.holds": 1, "SharePriceFall.observe": 2, "VenueReverting.holds": 1 },
    why: "Of several answers one is asked: registered or not, counted or not, read or not.",
  },
  {
    check: "calls-loop",
    at: { "Rebalancing.depositMove": 1, "Rebalancing.put": 1, "Rebalancing.withdrawMove": 2 },
    why: "A plan is all or nothing, and the keeper chooses its moves: one that fails is left out of the next plan.",
  },
  {
    check: "calls-loop",
    at: { "InKind.payPart": 1 },
    why: "At most ten adapters; the call is to the vault's own token of claims, which refuses nobody but the zero address.",
  },
  {
    check: "calls-loop",
    at: { "Settings.appendAdapter": 3, "Settings.open": 1 },
    why: "At the deployment: at most ten adapters and four roles, and a failure should end it.",
  },
  {
    check: "calls-loop",
    at: { "VaultLens.readAdapter": 5 },
    why: "A view over at most ten adapters; the calls that may fail are bounded in gas and caught.",
  },
  {
    check: "calls-loop",
    at: { "VaultLens.curveState": 3 },
    why: "A view over the three coins of a pool; the keeper calls it once for each adapter and takes a failure as no state.",
  },
  {
    check: "unused-return",
    at: {
      "AaveV3Adapter.claimRewards": 1,
      "AaveV3Adapter.withdraw": 1,
      "ERC4626Adapter.deposit": 1,
      "ERC4626Adapter.withdraw": 2,
    },
    why: "What a venue says that it did is not believed: balances say it.",
  },
  {
    check: "unused-return",
    at: { "Rebalancing.withdrawMove": 1 },
    why: "What an adapter says that it paid is not believed: idle says it.",
  },
  {
    check: "unused-return",
    at: { "Breaking.emergencyExit": 1, "Breaking.guardianExit": 1, "Breaking.withdraw": 1 },
    why: "As in Rebalancing.withdrawMove; and when a guardian's trip would end is not asked here.",
  },
  {
    check: "unused-return",
    at: { "Vault.rebalance": 1 },
    why: "The library's function returns nothing.",
  },
  {
    check: "unused-return",
    at: { "Vault.pull": 2 },
    why: "A position that cannot be read is worth nothing here; and an exit's loss is the next accrual's, not booked at once.",
  },
  {
    check: "unused-return",
    at: { "Breaking.reset": 1, "Vault.enterable": 1 },
    why: "Only the breaker's state is asked, not its end.",
  },
  {
    check: "unused-return",
    at: {
      "VaultLens.curveState": 1,
      "VaultLens.dollarsOf": 1,
      "VaultLens.meanTicks": 1,
      "VaultLens.readTotals": 1,
      "VaultLens.uniswapState": 1,
    },
    why: "The lens shows what the keeper asks for: the answer of a feed, the sums of ticks, the price.",
  },
  {
    check: "uninitialized-local",
    at: {
      "Accounting.recordValue.group": 1,
      "InKind.payPart.part": 1,
      "Rebalancing.carryOut.grownCount": 1,
      "Rebalancing.carryOut.seen": 1,
      "Rebalancing.checkCaps.group": 1,
      "Rebalancing.rebalance.run": 1,
      "Settings.setQueue.seen": 1,
      "Vault.pull.before": 1,
      "VaultLens.readLimits.budget": 1,
      "VaultLens.readLimits.turnover": 1,
    },
    why: "Zero is where they start, and is what the language gives.",
  },
  {
    check: "missing-zero-check",
    at: {
      "AaveV3Adapter.constructor.asset_": 1,
      "AaveV3Adapter.constructor.vault_": 1,
      "AaveV3Adapter.constructor.venue_": 1,
      "CompoundV3Adapter.constructor.vault_": 1,
      "CompoundV3Adapter.constructor.venue_": 1,
      "ERC4626Adapter.constructor.vault_": 1,
      "ERC4626Adapter.constructor.venue_": 1,
    },
    why: "The vault refuses an adapter whose vault or asset is not its own; a venue of zero answers nothing, and the constructor reverts.",
  },
  {
    check: "var-read-using-this",
    at: { "AaveV3Adapter.maxWithdraw": 1, "CompoundV3Adapter.maxWithdraw": 1, "ERC4626Adapter.maxWithdraw": 1 },
    why: "A call to itself so that it can be caught: a maximum never reverts.",
  },
  {
    check: "assembly",
    at: {
      "BoundedRead.tryCall": 1,
      "BoundedRead.tryGet": 1,
      "BoundedRead.tryRound": 1,
      "BoundedRead.tryUint": 1,
      "InKind.tryPay": 1,
    },
    why: "Solidity copies whatever the other side returns, and the caller pays for it; these take five words at most.",
  },
  {
    check: "assembly",
    at: { "BlockReads.ask": 1 },
    why: "As above, with the bound that the caller names.",
  },
  {
    check: "assembly",
    at: { "BlockReads.constructor": 1 },
    why: "Returns answers in the place of code, which the language has no words for; never deployed.",
  },
  {
    check: "assembly",
    at: { "TrustedRead.get": 2, "Accounting.sumNow": 1 },
    why: "Every deposit pays for these an adapter; the slot that sumNow takes apart is in storageLayout.json.",
  },
  {
    check: "assembly",
    at: { "Vault.rebalance": 1, "Rebalancing.appended": 1, "Rebalancing.hashOf": 1 },
    why: "A plan is handed on and hashed as it came; encoding it again would cost some 4,000 gas.",
  },
  {
    check: "naming-convention",
    at: { "Vault.ASSET": 1, "Vault.CLAIMS": 1, "Vault.VIRTUAL_SHARES": 1 },
    why: "Immutables are written like constants here.",
  },
  {
    check: "naming-convention",
    at: { "IAaveV3ReserveRateStrategy.OPTIMAL_USAGE_RATIO": 1 },
    why: "Aave's name.",
  },
  {
    check: "reentrancy-balance",
    at: { "SkySavingsAdapter.withdraw": 1 },
    why: "Called by the vault only, under its reentrancy guard; what somebody gives away meanwhile fails the check of exactness.",
  },
  {
    check: "incorrect-equality",
    at: { "SkySavingsAdapter.withdraw": 1 },
    why: "Nothing is there to withdraw. A gift of a unit only makes the call go on and pay it.",
  },
  {
    check: "divide-before-multiply",
    at: { "TickPrice.sqrtAt": 1 },
    why: "Fixed-point products, rounded as the pool itself rounds them: held to it tick by tick.",
  },
  {
    check: "reentrancy-no-eth",
    at: { "UniswapV3Adapter.deposit": 1, "UniswapV3Adapter.take": 1 },
    why: "Called by the vault only, under its reentrancy guard; the pool is the factory's, and while it calls back nothing here reads the range for anybody.",
  },
  {
    check: "reentrancy-events",
    at: { "UniswapV3Adapter.deposit": 1 },
    why: "As above: the event tells the range that the deposit chose.",
  },
  {
    check: "uninitialized-local",
    at: {
      "Curve3PoolAdapter.constructor.scales": 1,
      "Curve3PoolAdapter.checkPool.balances": 1,
      "Curve3PoolAdapter.checkPool.sum": 1,
      "Curve3PoolAdapter.isUnlocked.nothing": 1,
      "PoolReads.meanTick.sum": 1,
    },
    why: "Zero is where they start, and is what the language gives.",
  },
  {
    check: "unused-return",
    at: {
      "SkySavingsAdapter.deposit": 2,
      "SkySavingsAdapter.redeemAll": 2,
      "SkySavingsAdapter.withdraw": 2,
      "UniswapV3Adapter.addLiquidity": 2,
      "UniswapV3Adapter.take": 1,
    },
    why: "What a venue says that it did is not believed: balances say it.",
  },
  {
    check: "unused-return",
    at: {
      "PoolReads.checkMemory": 2,
      "PoolReads.growthInside": 3,
      "PoolReads.meanTick": 1,
      "UniswapV3Adapter.liquidityOf": 1,
      "UniswapV3Adapter.market": 1,
    },
    why: "Of several answers one or two are asked.",
  },
  {
    check: "unused-return",
    at: { "Curve3PoolAdapter.constructor": 1, "Curve3PoolAdapter.isUnlocked": 1 },
    why: "Only whether it answers, or what gas it uses, is asked.",
  },
  {
    check: "shadowing-local",
    at: { "IUniswapV3Pool.positions.liquidity": 1 },
    why: "The name of a returned value in an interface, which nothing reads.",
  },
  {
    check: "missing-zero-check",
    at: {
      "Curve3PoolAdapter.constructor.asset_": 1,
      "Curve3PoolAdapter.constructor.receipt_": 1,
      "Curve3PoolAdapter.constructor.vault_": 1,
      "Curve3PoolAdapter.constructor.venue_": 1,
      "SkySavingsAdapter.constructor.psm_": 1,
      "SkySavingsAdapter.constructor.savings": 1,
      "SkySavingsAdapter.constructor.vault_": 1,
      "UniswapV3Adapter.constructor.asset_": 1,
      "UniswapV3Adapter.constructor.vault_": 1,
    },
    why: "The vault refuses an adapter whose vault or asset is not its own; the rest is asked what it is, and nobody answers at zero.",
  },
  {
    check: "calls-loop",
    at: {
      "Curve3PoolAdapter.checkFeed": 3,
      "Curve3PoolAdapter.checkPool": 1,
      "Curve3PoolAdapter.constructor": 2,
      "Curve3PoolAdapter.depositableNow": 1,
      "Curve3PoolAdapter.spotPrice": 5,
      "Curve3PoolAdapter.withdrawableNow": 1,
    },
    why: "Three coins, nine halvings. A coin or feed that does not answer leaves no value on purpose; maxima are caught.",
  },
  {
    check: "timestamp",
    at: { "FreshPrice.read": 1 },
    why: "An answer's age against a heartbeat of hours.",
  },
  {
    check: "assembly",
    at: { "TickPrice.sqrtAt": 1 },
    why: "One table of constants read by its index.",
  },
  {
    check: "too-many-digits",
    at: { "TrustedRead.slitherConstructorConstantVariables": 1 },
    why: "An error's selector as the word that it stands at the beginning of; the adapters' tests decode it.",
  },
  {
    check: "too-many-digits",
    at: { "TickPrice.slitherConstructorConstantVariables": 1 },
    why: "Powers of a root in 128 binary places.",
  },
  {
    check: "var-read-using-this",
    at: { "SkySavingsAdapter.maxWithdraw": 1 },
    why: "A call to itself so that it can be caught: a maximum never reverts.",
  },
  {
    check: "naming-convention",
    at: {
      "Curve3PoolAdapter.FEED_0": 1,
      "Curve3PoolAdapter.FEED_1": 1,
      "Curve3PoolAdapter.FEED_2": 1,
      "Curve3PoolAdapter.HEARTBEAT_0": 1,
      "Curve3PoolAdapter.HEARTBEAT_1": 1,
      "Curve3PoolAdapter.HEARTBEAT_2": 1,
      "Curve3PoolAdapter.SCALE": 1,
      "Curve3PoolAdapter.SCALE_0": 1,
      "Curve3PoolAdapter.SCALE_1": 1,
      "Curve3PoolAdapter.SCALE_2": 1,
      "UniswapV3Adapter.ASSET_FIRST": 1,
      "UniswapV3Adapter.ASSET_SCALE": 1,
      "UniswapV3Adapter.FEE": 1,
      "UniswapV3Adapter.PAIRED_SCALE": 1,
      "UniswapV3Adapter.SPACING": 1,
    },
    why: "Immutables are written like constants here.",
  },
  {
    check: "naming-convention",
    at: {
      "ICurvePool.A": 1,
      "ICurvePool.add_liquidity": 1,
      "ICurvePool.calc_token_amount": 1,
      "ICurvePool.calc_withdraw_one_coin": 1,
      "ICurvePool.get_dy": 1,
      "ICurvePool.get_virtual_price": 1,
      "ICurvePool.is_killed": 1,
      "ICurvePool.remove_liquidity": 1,
      "ICurvePool.remove_liquidity_imbalance": 1,
      "ICurvePool.remove_liquidity_one_coin": 1,
    },
    why: "Curve's names.",
  },
  {
    check: "incorrect-equality",
    at: { "RewardAuction.forward": 1, "RewardAuction.onSale": 1 },
    why: "Nothing is there to send on or to sell. Whoever gives a unit makes the call go on with that unit.",
  },
  {
    check: "missing-zero-check",
    at: { "RewardAuction.constructor.asset_": 1, "RewardAuction.constructor.vault_": 1 },
    why: "The asset is asked for its decimals, and the vault for its owner and asset before anything is listed.",
  },
  {
    check: "missing-zero-check",
    at: { "AaveV3Adapter.constructor.auction_": 1, "CompoundV3Adapter.constructor.auction_": 1 },
    why: "Zero means that rewards stay where they are.",
  },
  {
    check: "reentrancy-events",
    at: { "AaveV3Adapter.claimRewards": 1 },
    why: "Tells what came, so it comes after the call. Whoever calls back finds nothing half done: the adapter keeps no state of it.",
  },
  {
    check: "calls-loop",
    at: { "RewardAuction.requireForSale": 4 },
    why: "At most ten adapters of the vault, which the timelock vetted. One that does not answer stops sales and nothing else.",
  },
  {
    check: "timestamp",
    at: { "RewardAuction.buy": 1, "RewardAuction.onSale": 1, "RewardAuction.start": 1 },
    why: "A price that falls over hours, and the end of a lot: seconds are worth less than a hundredth of a percent of it.",
  },
  {
    check: "naming-convention",
    at: { "RewardAuction.ASSET_DECIMALS": 1 },
    why: "Immutables are written like constants here.",
  },
];
