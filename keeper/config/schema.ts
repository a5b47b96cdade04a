// Every setting of the keeper with its default: the only place where a default stands. Loading, environment overrides
// and error lines are in load.ts.
import { z } from "zod";
import { redactUrl } from "./redact";

const url = (protocol: RegExp, what: string) =>
  z.string().refine((value) => URL.canParse(value) && protocol.test(new URL(value).protocol), `is not ${what}`);

const httpUrl = url(/^https?:$/, "an http or https URL");
const postgresUrl = url(/^postgres(ql)?:$/, "a postgres:// URL");
const fileName = z.string().min(1, "is empty");
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not a name of an environment variable");
const positive = z.number().positive("must be above 0");
const positiveInteger = z.number().int("must be a whole number").positive("must be above 0");
const ratio = z.number().min(0, "must be in [0, 1]").max(1, "must be in [0, 1]");
const nonNegative = z.number().min(0, "must not be negative");
const distinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** Where the key that signs plans comes from. Never the key itself: a config file is no place for one. */
const keySource = z.discriminatedUnion("kind", [
  /** For the local chain and forks only: an environment is readable by too many. */
  z.strictObject({ kind: z.literal("env"), variable: variableName }),
  /** Encrypted JSON keystore (Web3 secret storage); its password from a file or from an environment variable. */
  z
    .strictObject({
      kind: z.literal("keystore"),
      file: fileName,
      passwordFile: fileName.optional(),
      passwordVariable: variableName.optional(),
    })
    .refine((source) => (source.passwordFile === undefined) !== (source.passwordVariable === undefined), {
      message: "needs exactly one of passwordFile and passwordVariable",
    }),
]);

/** Identity towards relays (`X-Flashbots-Signature`): holds no money, earns reputation. */
const authKeySource = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("env"), variable: variableName }),
  /** Created with a fresh key, readable by its owner only, when absent. */
  z.strictObject({ kind: z.literal("file"), file: fileName }),
]);

const relay = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "must be lower-case letters, digits and hyphens"),
  url: httpUrl,
  timeoutMs: positiveInteger.default(2_500),
});

const chainSettings = z.strictObject({
  /** In order of preference. */
  rpcUrls: z.array(httpUrl).min(1, "needs at least one URL"),
  /** Endpoints that must agree on a block and its state before anything is decided on it. 1: the first that answers. */
  quorum: positiveInteger.default(1),
  pollMs: positiveInteger.default(500),
  /** Blocks on top of an inclusion after which it cannot be undone: two epochs of 32 slots. */
  finalityBlocks: positiveInteger.default(64),
  requestTimeoutMs: positiveInteger.default(4_000),
  /** Most requests that a process makes of each endpoint, where a provider counts them. Default: no limit of ours. */
  requestsPerSecond: positive.optional(),
});

const chain = chainSettings.superRefine(({ rpcUrls, quorum }, context) => {
  if (quorum === 1) return;
  const refuse = (field: "quorum" | "rpcUrls", message: string): void =>
    context.addIssue({ code: "custom", path: [field], message });
  const count = rpcUrls.length;
  // Of half of them two answers could win.
  if (quorum > count || 2 * quorum <= count) {
    refuse("quorum", `must be 1, or more than half of the ${count} endpoints and no more than there are`);
  }
  if (!distinct(rpcUrls.map(redactUrl))) refuse("rpcUrls", "has two endpoints of one host, which would vote twice");
});

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hex digits");
/** Names a series, as a venue's id does. */
const subject = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "must be lower-case letters, digits and hyphens");
/** USD for one whole unit, where amounts are counted in it. */
const usd = positive.default(1);

/** What is collected beside the venues of the address file. */
const collectTarget = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("aave-v3"), subject, pool: address, asset: address, usd }),
  z.strictObject({ kind: z.literal("compound-v3"), subject, comet: address, usd }),
  /** Its state and its events. `token`: of the pool's receipts. */
  z.strictObject({
    kind: z.literal("curve"),
    subject,
    pool: address,
    token: address,
    coins: z.number().int("must be a whole number").min(2, "must be at least 2").max(8, "must be at most 8"),
    usd,
  }),
  z.strictObject({ kind: z.literal("erc4626"), subject, vault: address, usd }),
  z.strictObject({ kind: z.literal("chainlink"), subject, feed: address, heartbeatSeconds: positiveInteger }),
  /** Its state and its events. */
  z.strictObject({ kind: z.literal("uniswap-v3"), subject, pool: address }),
]);

/** API keys in addresses are shown and logged by others; The Graph's gateway still takes them in the path. */
const keylessUrl = httpUrl.refine((value) => {
  if (!URL.canParse(value)) return true;
  const { username, password, search, pathname } = new URL(value);
  return username === "" && password === "" && search === "" && !/\/[0-9a-f]{32}(\/|$)/i.test(pathname);
}, "must hold no key, user or query");

/** The key itself in place of the name would be shown as one. */
const keyVariable = variableName.refine((name) => !/^[0-9a-f]{32}$/i.test(name), "is a key, not a variable's name");

const theGraph = z.strictObject({
  /** Of one subgraph, for example `https://gateway.thegraph.com/api/subgraphs/id/…`. */
  url: keylessUrl,
  /** Environment variable with the API key; absent: no key is sent. */
  keyVariable: keyVariable.optional(),
  /** Of each process. */
  requestsPerMinute: positiveInteger.default(60),
});

/** Series and readings are named after `subject`; what the other fields mean is at `LlamaPool` of the collector. */
const llamaChart = z.strictObject({
  subject,
  pool: z
    .string()
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "is not the id of a pool at DefiLlama (a lower-case UUID)"),
  chain: z.string().min(1, "is empty").default("Ethereum"),
  kind: z.enum(["lending", "vault"]).default("lending"),
  apyBase: z.enum(["compounded", "simple"]).default("compounded"),
});
const llamaSlug = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, "is not the name of a protocol's page at DefiLlama");

const defiLlama = z.strictObject({
  yieldsUrl: keylessUrl.default("https://yields.llama.fi"),
  apiUrl: keylessUrl.default("https://api.llama.fi"),
  /** To each of the two addresses. */
  requestsPerMinute: positiveInteger.default(30),
  /** The source computes anew once an hour. */
  everySeconds: positiveInteger.default(3_600),
  charts: z
    .array(llamaChart)
    .default([])
    .refine((charts) => distinct(charts.map((chart) => chart.subject)), "has two charts of one subject"),
  protocols: z.array(llamaSlug).default([]).refine(distinct, "names a protocol twice"),
});

/** The keeper's own breaker: what `BreakerSettings` says, and whether a trip closes all positions. */
const breaker = z.strictObject({
  off: z
    .array(z.enum(["drawdown", "oracle", "data-outage", "model-drift", "gas-spike"]))
    .default([])
    .refine(distinct, "names a cause twice"),
  /** Half of what the vault's own condition trips at. */
  drawdownBps: positive.max(10_000, "must be at most 10000").default(50),
  /** Four times a stablecoin feed's deviation threshold, and half of what the vault's own condition trips at. */
  depegBps: positive.max(10_000, "must be at most 10000").default(100),
  oracleSeconds: nonNegative.default(600),
  outageSeconds: positive.default(900),
  driftRatio: z.number().min(1, "must be at least 1").default(2),
  /** Fraction a year: a percentage point. */
  driftLeastApr: nonNegative.default(0.01),
  driftWindowHours: positive.max(720, "must be at most 720").default(168),
  gasFactor: z.number().min(1, "must be at least 1").default(5),
  gasSeconds: nonNegative.default(3_600),
  closeOnTrip: z.boolean().default(false),
});

/** Refits of the model of rates on what the keeper has stored; each gives a challenger, none serves by itself. */
const refit = z.strictObject({
  /** Between two of them, by the keeper that leads. Absent: only `tiller models refit`. A challenger can be promoted after three weeks. */
  everyDays: z
    .number()
    .int("must be a whole number")
    .min(7, "must be at least 7")
    .max(366, "must be at most 366")
    .optional(),
  /** Python with what `ml/requirements.txt` names. Default: `ml/.venv` of the checkout. */
  python: fileName.optional(),
  /** A refit that never served is deleted so long after. */
  keepDays: z.number().int("must be a whole number").min(30, "must be at least 30").default(90),
  /** Of training; then it is stopped and has failed. */
  mostMinutes: positive.max(720, "must be at most 720").default(60),
});

const risk = z.strictObject({
  /** Data file of protocols in place of the keeper's own. */
  protocolFile: fileName.optional(),
  /** Which of them a venue is of, by venue id, where its kind does not say: any ERC-4626. */
  protocols: z.record(z.string(), z.string().min(1, "is empty")).default({}),
  /** Whether scores limit positions and expected losses count against rates. */
  limitPositions: z.boolean().default(true),
  /**
   * Kappa times the mean loss of the worst 1 − confidence of what may happen within the horizon comes off a plan's gain.
   * By default only its expected loss does, as part of the rates. All shocks together are so rare within a week that the
   * worst twentieth holds every one of them, and the mean of it is 20 times the expected loss; the worst thousandth
   * tells what spreads.
   */
  tail: z
    .strictObject({
      kappa: nonNegative.max(1_000, "must be at most 1000").default(0),
      confidence: z.number().min(0, "must be in [0, 0.9999]").max(0.9999, "must be in [0, 0.9999]").default(0.999),
      /** Kappa follows what the vault has been through in 30 days: times the volatility of its returns over the usual one, and
       * more the further it is below its best. Absent: it stays as it is. */
      tolerance: z
        .strictObject({
          /** Of daily returns, a year. */
          usualVolatility: positive,
          /** Fall from the best share price at which kappa has doubled. */
          drawdownToDouble: positive.max(1, "must be at most 1"),
          /** Kappa is never above so many times its own, nor below that part of it. */
          most: z.number().min(1, "must be at least 1").default(4),
        })
        .optional(),
    })
    .prefault({}),
  breaker: breaker.prefault({}),
});

/** Beside the checkout's files, ignored by git. */
export const DEFAULT_DATA_DIR = ".tiller";

/** Time between two sweeps of the chain, unless the config says otherwise. */
export const COLLECT_EVERY_SECONDS = 300;

export const configSchema = z.strictObject({
  /** Everything that the keeper writes: database, relay identity, the local chain. */
  dataDir: fileName.default(DEFAULT_DATA_DIR),
  chain: chain.prefault({} as never),
  /** The deployment's address file. Default: the local chain's, in the data folder. */
  addresses: fileName.optional(),
  keeper: z.strictObject({ key: keySource.default({ kind: "env", variable: "TILLER_KEEPER_KEY" }) }).prefault({}),
  relayAuth: authKeySource.default({ kind: "file", file: "relay-auth.key" }),
  relays: z
    .array(relay)
    .default([])
    .refine((list) => new Set(list.map((item) => item.name)).size === list.length, "has two relays of one name"),
  bundle: z
    .strictObject({
      /** Target blocks of one plan: N+1 … N+blocks, then it is given up. */
      blocks: positiveInteger.max(25, "must be at most 25").default(5),
      /** Have relays simulate a plan's bundle before it is sent (`eth_callBundle`); counts in our reputation there. */
      simulateOnRelay: z.boolean().default(true),
    })
    .prefault({}),
  fees: z
    .strictObject({
      /** Gas dearer than this is not bought. */
      maxFeePerGasGwei: positive.default(60),
      maxPriorityFeeGwei: nonNegative.default(1),
      /** Most gas that a plan may take; above Ethereum's bound per transaction nothing is valid (EIP-7825). */
      gasLimit: positiveInteger.max(16_777_216, "must be at most 16777216").default(3_000_000),
    })
    .prefault({}),
  /** The operator's own limits on decisions (`OperatorLimits`); the vault's hold besides. */
  limits: z
    .strictObject({
      horizonHours: positive.default(168),
      minGainUsd: nonNegative.default(5),
      noTradeBandBps: nonNegative.default(1),
      cooldownSeconds: nonNegative.default(3_600),
      minimumIdle: ratio.default(0.01),
      venueCaps: z.record(z.string(), ratio).default({}),
      maxShareOfVenue: ratio.default(0.25),
      maxLossBps: nonNegative.max(10_000, "must be at most 10000").default(1),
      /** Of terms that a block's trades change. Adapters' own bounds are several times as wide. */
      moveToleranceBps: positive.min(0.1, "must be at least 0.1").max(10_000, "must be at most 10000").default(2),
      gasPerMove: nonNegative.default(250_000),
      gasPerPlan: nonNegative.default(120_000),
      assetUsd: positive.default(1),
      ethUsd: positive.default(3_000),
      deadlineSeconds: positiveInteger.default(600),
    })
    .prefault({}),
  risk: risk.prefault({}),
  forecast: z
    .strictObject({
      /** Of the mean that forecasts where no model does. */
      halfLifeHours: positive.default(24),
      /** `served`: the trained model that the registry names, as far as it is to be trusted; `ewma`: none. */
      model: z.enum(["served", "ewma"]).default("served"),
      /** Folder of trained models in place of the checkout's own. */
      models: fileName.optional(),
      refit: refit.prefault({}),
      /** How long a plan may wait for gas that is likely cheaper; 0: not at all. */
      gasPatienceHours: nonNegative.max(12, "must be at most 12").default(4),
    })
    .prefault({}),
  collect: z
    .strictObject({
      everySeconds: positiveInteger.default(COLLECT_EVERY_SECONDS),
      /** Whether `tiller run` collects beside its loop; `tiller collect` does it alone. */
      withKeeper: z.boolean().default(true),
      targets: z.array(collectTarget).default([]),
      /** Sources of the web: what is absent is not asked. */
      theGraph: theGraph.optional(),
      defiLlama: defiLlama.optional(),
    })
    .prefault({}),
  serve: z
    .strictObject({
      host: z.string().min(1, "is empty").default("127.0.0.1"),
      /** 0: any free port. */
      port: z.number().int("must be a whole number").min(0).max(65_535, "must be at most 65535").default(8_480),
      /** Further names that the page may be asked for by: of a proxy in front of it, of this machine in its network. */
      allowedHosts: z.array(z.string().min(1, "is empty")).default([]),
    })
    .prefault({}),
  /** `embedded`: a PostgreSQL of our own in the data folder, stopped with the last process that uses it. */
  database: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("embedded") }),
      z.strictObject({ kind: z.literal("url"), url: postgresUrl }),
    ])
    .default({ kind: "embedded" }),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
      format: z.enum(["json", "pretty"]).default("json"),
    })
    .prefault({}),
});

/** For commands that work on what is stored: they need no node. */
export const offlineSchema = configSchema.extend({
  chain: chainSettings.extend({ rpcUrls: z.array(httpUrl).default([]) }).prefault({}),
});

/** What a config file may hold. */
export type ConfigInput = z.input<typeof configSchema>;

export type KeySource = z.output<typeof keySource>;
export type AuthKeySource = z.output<typeof authKeySource>;
export type RelayConfig = z.output<typeof relay>;
export type CollectTarget = z.output<typeof collectTarget>;
export type TheGraphConfig = z.output<typeof theGraph>;
export type DefiLlamaConfig = z.output<typeof defiLlama>;
