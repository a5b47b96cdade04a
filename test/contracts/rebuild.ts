// The vault's state from its logs alone. Pure: knows no chain, only events in their order. What an auditor or an indexer
// would write; the test beside it holds it to the vault's views.

const SHARES_DECIMALS = 18n;

/** One decoded log. `source` tells the vault's `Transfer` from that of its claims. */
export interface VaultEvent {
  readonly source: "vault" | "claims";
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly timestamp: bigint;
}

export interface Budget {
  readonly limit: bigint;
  readonly window: bigint;
  readonly used: bigint;
  readonly updatedAt: bigint;
}

export interface Adapter {
  readonly absoluteCap: bigint;
  readonly relativeCap: bigint;
  readonly groupMask: bigint;
  readonly exact: boolean;
  readonly quarantined: boolean;
  readonly recorded: bigint;
}

export interface Rebuilt {
  opened: boolean;
  owner: string;
  pendingOwner: string;
  guardian: string;
  pendingGuardian: string;
  feeRecipient: string;
  planEpoch: bigint;
  /** By name: managementFee, performanceFee, maxRate, depositCap, minimumIdle, lossPerCall. */
  readonly limits: Map<string, bigint>;
  readonly budgets: Map<string, Budget>;
  readonly keepers: Map<string, { readonly allowed: boolean; readonly count: bigint }>;
  /** In the order of the queue. */
  queue: string[];
  readonly adapters: Map<string, Adapter>;
  readonly groups: { readonly name: string; readonly relativeCap: bigint }[];
  /** Units that positions are divided into, and those of claims. */
  readonly units: Map<string, { readonly total: bigint; readonly claimed: bigint }>;
  /** Units by adapter and holder. */
  readonly claims: Map<string, Map<string, bigint>>;
  breaker: { readonly state: bigint; readonly until: bigint };
  breakerResetAt: bigint;
  guardianTripFrom: bigint;
  readonly conditions: Map<string, { readonly registered: boolean; readonly armedAt: bigint }>;
  readonly readFailures: Map<string, bigint>;
  accounted: bigint;
  earlier: bigint;
  updatedAt: bigint;
  writtenOff: bigint;
  uncounted: boolean;
  supply: bigint;
  readonly balances: Map<string, bigint>;
}

export const ZERO_ADDRESS = `0x${"0".repeat(40)}`;

/** `bytes32` of ASCII, as the vault names its limits. */
export function asciiOf(bytes32: string): string {
  return Buffer.from(bytes32.slice(2), "hex").toString("latin1").replace(/\0+$/, "");
}

/** What of earlier spending has not refilled yet: `RateBudget.usedNow`. */
export function usedAt({ limit, window, used, updatedAt }: Budget, now: bigint): bigint {
  if (used === 0n) return 0n;
  const refilled = ((limit / 2n) * (now - updatedAt)) / window;
  return refilled < used ? used - refilled : 0n;
}

/** `RateBudget.available`. */
export function availableAt(budget: Budget, now: bigint): bigint {
  const [size, used] = [budget.limit / 2n, usedAt(budget, now)];
  return used < size ? size - used : 0n;
}

/** Sum of the recorded values of a group's members. */
export function groupAllocation(state: Rebuilt, group: number): bigint {
  let sum = 0n;
  for (const { groupMask, recorded } of state.adapters.values()) {
    if ((groupMask & (1n << BigInt(group))) !== 0n) sum += recorded;
  }
  return sum;
}

/** The breaker as of `now`: a guardian's trip ends by itself. */
export function breakerAt({ breaker }: Rebuilt, now: bigint): { readonly state: bigint; readonly until: bigint } {
  if (breaker.state !== 1n) return { state: breaker.state, until: 0n };
  return now >= breaker.until ? { state: 0n, until: 0n } : breaker;
}

/** `planEpoch << 64 | count`. */
export function nextNonce(state: Rebuilt, keeper: string): bigint {
  return (state.planEpoch << 64n) | (state.keepers.get(keeper)?.count ?? 0n);
}

/** @param assetDecimals of the vault's asset: they say how many virtual shares there are. */
export function rebuild(events: readonly VaultEvent[], assetDecimals: bigint): Rebuilt {
  const state = empty(events[0]?.timestamp ?? 0n);
  for (const event of events) (event.source === "vault" ? applyVault : applyClaims)(state, event, assetDecimals);
  return state;
}

function empty(created: bigint): Rebuilt {
  return {
    opened: false,
    owner: ZERO_ADDRESS,
    pendingOwner: ZERO_ADDRESS,
    guardian: ZERO_ADDRESS,
    pendingGuardian: ZERO_ADDRESS,
    feeRecipient: ZERO_ADDRESS,
    planEpoch: 0n,
    limits: new Map(),
    budgets: new Map(),
    keepers: new Map(),
    queue: [],
    adapters: new Map(),
    groups: [],
    units: new Map(),
    claims: new Map(),
    breaker: { state: 0n, until: 0n },
    breakerResetAt: 0n,
    guardianTripFrom: 0n,
    conditions: new Map(),
    readFailures: new Map(),
    accounted: 0n,
    earlier: 0n,
    updatedAt: created,
    writtenOff: 0n,
    uncounted: false,
    supply: 0n,
    balances: new Map(),
  };
}

function move<K>(balances: Map<K, bigint>, key: K, change: bigint): void {
  const balance = (balances.get(key) ?? 0n) + change;
  if (balance === 0n) balances.delete(key);
  else balances.set(key, balance);
}

function adapterOf(state: Rebuilt, address: string): Adapter {
  const adapter = state.adapters.get(address);
  if (adapter === undefined) throw new Error(`an event of an adapter that was never added: ${address}`);
  return adapter;
}

function applyClaims(state: Rebuilt, { name, args }: VaultEvent): void {
  if (name !== "Transfer") return;
  const adapter = `0x${(args["id"] as bigint).toString(16).padStart(40, "0")}`;
  const holders = state.claims.get(adapter) ?? new Map<string, bigint>();
  state.claims.set(adapter, holders);
  const [from, to, amount] = [args["sender"] as string, args["receiver"] as string, args["amount"] as bigint];
  if (from !== ZERO_ADDRESS) move(holders, from, -amount);
  if (to !== ZERO_ADDRESS) move(holders, to, amount);
}

function applyVault(state: Rebuilt, event: VaultEvent, assetDecimals: bigint): void {
  const { name, args, timestamp } = event;
  const address = (field: string): string => args[field] as string;
  const number = (field: string): bigint => args[field] as bigint;
  const flag = (field: string): boolean => args[field] as boolean;
  const change = (account: string, over: Partial<Adapter>): void => {
    state.adapters.set(account, { ...adapterOf(state, account), ...over });
  };
  switch (name) {
    case "Opened":
      state.opened = true;
      state.accounted = number("seedAssets");
      return;
    case "Accrued":
      if (state.updatedAt !== timestamp) {
        state.earlier = state.accounted;
        state.updatedAt = timestamp;
      }
      state.accounted = number("totalAssets");
      return;
    case "Transfer":
      if (address("from") !== ZERO_ADDRESS) move(state.balances, address("from"), -number("value"));
      else state.supply += number("value");
      if (address("to") !== ZERO_ADDRESS) move(state.balances, address("to"), number("value"));
      else state.supply -= number("value");
      return;
    case "Deposit":
      state.accounted += number("assets");
      return;
    case "Withdraw":
      state.accounted -= number("assets");
      return;
    case "RedeemedInKind": {
      // The shares were burned before: the supply that the exit was a part of had them, and the virtual ones.
      const supply = state.supply + number("shares") + 10n ** (SHARES_DECIMALS - assetDecimals);
      state.accounted -= number("accountedPaid");
      state.writtenOff -= (state.writtenOff * number("shares")) / supply;
      return;
    }
    case "ClaimUnitsChanged":
      state.units.set(address("adapter"), { total: number("total"), claimed: number("claimed") });
      return;
    case "WrittenOff":
      state.writtenOff = number("writtenOff");
      state.uncounted = flag("uncounted");
      return;
    case "Rebalanced": {
      const keeper = state.keepers.get(address("keeper")) ?? { allowed: true, count: 0n };
      state.keepers.set(address("keeper"), { ...keeper, count: (number("nonce") & ((1n << 64n) - 1n)) + 1n });
      state.accounted = number("assetsAfter");
      return;
    }
    case "EmergencyExit":
      state.accounted = number("assetsAfter");
      return;
    case "Allocated":
      change(address("adapter"), { recorded: number("value") });
      return;
    case "BudgetSpent": {
      const field = asciiOf(address("field"));
      const budget = state.budgets.get(field);
      if (budget) state.budgets.set(field, { ...budget, used: number("used"), updatedAt: timestamp });
      return;
    }
    case "BudgetChanged": {
      const field = asciiOf(address("field"));
      const before = state.budgets.get(field);
      const used = before ? usedAt(before, timestamp) : 0n;
      state.budgets.set(field, { limit: number("limit"), window: number("window"), used, updatedAt: timestamp });
      return;
    }
    case "LimitChanged":
      state.limits.set(asciiOf(address("field")), number("current"));
      return;
    case "OwnershipOffered":
      state.pendingOwner = address("pending");
      return;
    case "OwnerChanged":
      state.owner = address("current");
      state.pendingOwner = ZERO_ADDRESS;
      return;
    case "GuardianOffered":
      state.pendingGuardian = address("pending");
      return;
    case "GuardianChanged":
      state.guardian = address("current");
      state.pendingGuardian = ZERO_ADDRESS;
      return;
    case "KeeperChanged": {
      const count = state.keepers.get(address("keeper"))?.count ?? 0n;
      state.keepers.set(address("keeper"), { allowed: flag("allowed"), count });
      return;
    }
    case "PlanEpochRaised":
      state.planEpoch = number("planEpoch");
      return;
    case "FeeRecipientChanged":
      state.feeRecipient = address("current");
      return;
    case "AdapterAdded":
      state.queue.push(address("adapter"));
      state.adapters.set(address("adapter"), {
        absoluteCap: number("absoluteCap"),
        relativeCap: number("relativeCap"),
        groupMask: number("groupMask"),
        exact: flag("exact"),
        quarantined: false,
        recorded: 0n,
      });
      return;
    case "AdapterRemoved":
      state.queue = state.queue.filter((adapter) => adapter !== address("adapter"));
      state.adapters.delete(address("adapter"));
      state.readFailures.delete(address("adapter"));
      return;
    case "AdapterCapsChanged":
      change(address("adapter"), {
        absoluteCap: number("absoluteCap"),
        relativeCap: number("relativeCap"),
        groupMask: number("groupMask"),
      });
      return;
    case "GroupChanged":
      state.groups[Number(number("group"))] = { name: address("name"), relativeCap: number("relativeCap") };
      return;
    case "QueueChanged":
      state.queue = [...(args["adapters"] as readonly string[])];
      return;
    case "Quarantined":
    case "QuarantineLifted":
      change(address("adapter"), { quarantined: name === "Quarantined" });
      state.readFailures.delete(address("adapter"));
      return;
    case "ReadFailureReported":
      state.readFailures.set(address("adapter"), number("blockNumber"));
      return;
    case "ReadFailureCleared":
      state.readFailures.delete(address("adapter"));
      return;
    case "ConditionChanged":
      state.conditions.set(address("condition"), { registered: flag("registered"), armedAt: 0n });
      return;
    case "ConditionArmed":
      state.conditions.set(address("condition"), { registered: true, armedAt: number("timestamp") });
      return;
    case "ConditionDisarmed":
      state.conditions.set(address("condition"), { registered: true, armedAt: 0n });
      return;
    case "BreakerChanged": {
      const [breaker, until] = [number("state"), number("until")];
      state.breaker = { state: breaker, until };
      if (breaker === 0n) state.breakerResetAt = timestamp;
      if (breaker === 1n) state.guardianTripFrom = until + (until - timestamp);
      if (breaker === 2n) state.conditions.set(address("condition"), { registered: true, armedAt: 0n });
      return;
    }
  }
}

/** Of what limits that are shares of total assets are shares at `now`. */
export function limitBase({ accounted, earlier, updatedAt }: Rebuilt, now: bigint): bigint {
  return updatedAt === now && earlier < accounted ? earlier : accounted;
}
