-- What files of Uniswap pools say: states and days of a pool, single swaps with their transactions, and what pools are. Kept for
-- good, unlike readings, which a node can be asked for again. Few rows beside what is collected, so they are not partitioned.

CREATE TABLE pool_states (
  chain_id     BIGINT      NOT NULL CHECK (chain_id > 0),
  source       TEXT        NOT NULL CHECK (source <> ''),
  subject      TEXT        NOT NULL CHECK (subject <> ''),
  -- Null: of a day.
  block_number BIGINT      CHECK (block_number >= 0),
  observed_at  TIMESTAMPTZ NOT NULL,
  available_at TIMESTAMPTZ NOT NULL CHECK (available_at >= observed_at),
  state        TEXT        NOT NULL,
  PRIMARY KEY (subject, source, chain_id, observed_at)
);
INSERT INTO pool_states (chain_id, source, subject, block_number, observed_at, available_at, state)
  SELECT chain_id, source, subject, block_number, observed_at, available_at, state FROM readings
  WHERE source IN ('import-pool-state', 'import-pool-day');
DELETE FROM readings WHERE source IN ('import-pool-state', 'import-pool-day');

-- A sample of blocks, each swap with its whole transaction; no range of blocks is said to be whole, as `backfill_chunks` does of
-- `pool_events`. The files have no times: a block was not before `observed_at`, and was known at `available_at` at the latest.
CREATE TABLE sampled_swaps (
  chain_id       BIGINT      NOT NULL CHECK (chain_id > 0),
  block_number   BIGINT      NOT NULL CHECK (block_number >= 0),
  tx_index       INTEGER     NOT NULL CHECK (tx_index >= 0),
  log_index      INTEGER     NOT NULL CHECK (log_index >= 0),
  tx_hash        TEXT        NOT NULL CHECK (tx_hash ~ '^0x[0-9a-f]{64}$'),
  observed_at    TIMESTAMPTZ NOT NULL,
  available_at   TIMESTAMPTZ NOT NULL CHECK (available_at >= observed_at),
  source         TEXT        NOT NULL CHECK (source <> ''),
  -- Of the transaction, not of the swap; null: it made a contract.
  sender         TEXT        NOT NULL CHECK (sender ~ '^0x[0-9a-f]{40}$'),
  recipient      TEXT        CHECK (recipient ~ '^0x[0-9a-f]{40}$'),
  pool           TEXT        NOT NULL CHECK (pool ~ '^0x[0-9a-f]{40}$'),
  protocol       TEXT        NOT NULL CHECK (protocol IN ('v2', 'v3')),
  amount0        NUMERIC(78) NOT NULL,
  amount1        NUMERIC(78) NOT NULL,
  sqrt_price_x96 NUMERIC(49) CHECK (sqrt_price_x96 > 0),
  liquidity      NUMERIC(39) CHECK (liquidity >= 0),
  tick           INTEGER,
  reserve0       NUMERIC(34) CHECK (reserve0 >= 0),
  reserve1       NUMERIC(34) CHECK (reserve1 >= 0),
  gas_price_wei  NUMERIC(78) NOT NULL CHECK (gas_price_wei >= 0),
  -- What the block's coinbase gained in the transaction.
  tip_wei        NUMERIC(78) NOT NULL,
  CHECK (num_nonnulls(sqrt_price_x96, liquidity, tick) = CASE protocol WHEN 'v3' THEN 3 ELSE 0 END),
  CHECK (num_nonnulls(reserve0, reserve1) = CASE protocol WHEN 'v2' THEN 2 ELSE 0 END),
  PRIMARY KEY (chain_id, block_number, log_index)
);

-- Null: the file does not say it.
CREATE TABLE described_pools (
  chain_id     BIGINT   NOT NULL CHECK (chain_id > 0),
  pool         TEXT     NOT NULL CHECK (pool ~ '^0x[0-9a-f]{40}$'),
  source       TEXT     NOT NULL CHECK (source <> ''),
  protocol     TEXT     NOT NULL CHECK (protocol IN ('v2', 'v3')),
  token0       TEXT     NOT NULL CHECK (token0 ~ '^0x[0-9a-f]{40}$'),
  token1       TEXT     NOT NULL CHECK (token1 ~ '^0x[0-9a-f]{40}$'),
  fee_pips     INTEGER  CHECK (fee_pips BETWEEN 0 AND 1000000),
  tick_spacing INTEGER  CHECK (tick_spacing > 0),
  decimals0    INTEGER  CHECK (decimals0 BETWEEN 0 AND 255),
  decimals1    INTEGER  CHECK (decimals1 BETWEEN 0 AND 255),
  PRIMARY KEY (chain_id, pool)
);
