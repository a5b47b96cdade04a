-- What is collected: series of rates, sources' readings as they came, events of pools, and which ranges are whole.
--
-- The three tables that grow are partitioned by month, and a month is made before its first row (partitions.ts); there is no
-- default partition, which would have to be searched whenever another is made. No foreign key points out of them, for it
-- would be asked for each row of a COPY. To spread over machines: history by series_id, readings by subject, pool_events by
-- pool; each is part of its table's primary key, as Citus asks.

CREATE TABLE series (
  id       INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chain_id BIGINT NOT NULL CHECK (chain_id > 0),
  name     TEXT   NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9.-]*$'),
  UNIQUE (chain_id, name)
);

-- USD and fractions a year, as models and people use them; the exact numbers of a chain are in readings.
CREATE TABLE history (
  series_id    INTEGER     NOT NULL,
  observed_at  TIMESTAMPTZ NOT NULL,
  available_at TIMESTAMPTZ NOT NULL CHECK (available_at >= observed_at),
  block_number BIGINT      NOT NULL CHECK (block_number >= 0),
  block_hash   TEXT        CHECK (block_hash ~ '^0x[0-9a-f]+$'),
  source       TEXT        NOT NULL CHECK (source <> ''),
  supplied_usd DOUBLE PRECISION CHECK (supplied_usd > '-Infinity' AND supplied_usd < 'Infinity'),
  borrowed_usd DOUBLE PRECISION CHECK (borrowed_usd > '-Infinity' AND borrowed_usd < 'Infinity'),
  supply_apr   DOUBLE PRECISION CHECK (supply_apr > '-Infinity' AND supply_apr < 'Infinity'),
  borrow_apr   DOUBLE PRECISION CHECK (borrow_apr > '-Infinity' AND borrow_apr < 'Infinity'),
  yield_index  NUMERIC(78),
  flags        INTEGER     NOT NULL DEFAULT 0 CHECK (flags >= 0),
  tentative    BOOLEAN     NOT NULL DEFAULT FALSE,
  -- Serves every read of a series by time, which are all that the loop, the page, features and backtests make.
  PRIMARY KEY (series_id, available_at)
) PARTITION BY RANGE (available_at);
CREATE INDEX history_tentative ON history (block_number) WHERE tentative;

CREATE TABLE readings (
  chain_id     BIGINT      NOT NULL CHECK (chain_id > 0),
  source       TEXT        NOT NULL CHECK (source <> ''),
  subject      TEXT        NOT NULL CHECK (subject <> ''),
  block_number BIGINT      CHECK (block_number >= 0),
  block_hash   TEXT        CHECK (block_hash ~ '^0x[0-9a-f]+$'),
  observed_at  TIMESTAMPTZ NOT NULL,
  available_at TIMESTAMPTZ NOT NULL CHECK (available_at >= observed_at),
  state        TEXT        NOT NULL,
  tentative    BOOLEAN     NOT NULL DEFAULT FALSE,
  -- What the key of two readings of one moment differs by: the block, where there is one.
  moment       TEXT        GENERATED ALWAYS AS (coalesce(block_hash, '')) STORED,
  PRIMARY KEY (subject, source, chain_id, observed_at, moment)
) PARTITION BY RANGE (observed_at);
CREATE INDEX readings_tentative ON readings (chain_id, block_number) WHERE tentative;

CREATE TABLE pool_events (
  chain_id         BIGINT      NOT NULL CHECK (chain_id > 0),
  source           TEXT        NOT NULL CHECK (source <> ''),
  pool             TEXT        NOT NULL CHECK (pool ~ '^0x[0-9a-f]{40}$'),
  kind             TEXT        NOT NULL CHECK (kind IN ('swap', 'mint', 'burn')),
  block_number     BIGINT      NOT NULL CHECK (block_number >= 0),
  block_hash       TEXT        NOT NULL CHECK (block_hash ~ '^0x[0-9a-f]+$'),
  tx_hash          TEXT        NOT NULL CHECK (tx_hash ~ '^0x[0-9a-f]+$'),
  tx_index         INTEGER     NOT NULL CHECK (tx_index >= 0),
  log_index        INTEGER     NOT NULL CHECK (log_index >= 0),
  observed_at      TIMESTAMPTZ NOT NULL,
  available_at     TIMESTAMPTZ NOT NULL CHECK (available_at >= observed_at),
  sender           TEXT,
  recipient        TEXT,
  amount0          NUMERIC(78) NOT NULL,
  amount1          NUMERIC(78) NOT NULL,
  sqrt_price_x96   NUMERIC(49) CHECK (sqrt_price_x96 > 0),
  liquidity        NUMERIC(39) NOT NULL CHECK (liquidity >= 0),
  tick             INTEGER,
  tick_lower       INTEGER,
  tick_upper       INTEGER,
  price_impact_bps DOUBLE PRECISION CHECK (price_impact_bps > '-Infinity' AND price_impact_bps < 'Infinity'),
  gas_used         NUMERIC(20) CHECK (gas_used >= 0),
  gas_price_wei    NUMERIC(78) CHECK (gas_price_wei >= 0),
  CHECK ((kind = 'swap') = (sqrt_price_x96 IS NOT NULL AND tick IS NOT NULL)),
  CHECK ((kind = 'swap') = (tick_lower IS NULL AND tick_upper IS NULL)),
  PRIMARY KEY (pool, source, chain_id, block_number, log_index, observed_at)
) PARTITION BY RANGE (observed_at);

-- A range that was collected whole. No two chunks of one backfill overlap: kept by the one statement that adds them, under a
-- lock (eventRows.ts).
CREATE TABLE backfill_chunks (
  chain_id   BIGINT  NOT NULL CHECK (chain_id > 0),
  source     TEXT    NOT NULL CHECK (source <> ''),
  subject    TEXT    NOT NULL CHECK (subject <> ''),
  from_block BIGINT  NOT NULL CHECK (from_block >= 0),
  to_block   BIGINT  NOT NULL CHECK (to_block >= from_block),
  to_hash    TEXT    NOT NULL CHECK (to_hash ~ '^0x[0-9a-f]+$'),
  rows       BIGINT  NOT NULL CHECK (rows >= 0),
  checksum   TEXT    NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
  tentative  BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (chain_id, source, subject, from_block)
);

-- Buckets of 5 minutes, an hour and a day, worked out from history; made anew where history was added (rollUps.ts).
CREATE TABLE history_buckets (
  series_id        INTEGER     NOT NULL,
  seconds          INTEGER     NOT NULL CHECK (seconds > 0),
  bucket_at        TIMESTAMPTZ NOT NULL,
  rows             INTEGER     NOT NULL CHECK (rows > 0),
  supply_apr_mean  DOUBLE PRECISION,
  supply_apr_least DOUBLE PRECISION,
  supply_apr_most  DOUBLE PRECISION,
  supply_apr_last  DOUBLE PRECISION,
  borrow_apr_last  DOUBLE PRECISION,
  supplied_usd_last DOUBLE PRECISION,
  borrowed_usd_last DOUBLE PRECISION,
  flags            INTEGER     NOT NULL,
  PRIMARY KEY (series_id, seconds, bucket_at)
);
CREATE TABLE history_pending (
  id        BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series_id INTEGER     NOT NULL,
  first_at  TIMESTAMPTZ NOT NULL,
  last_at   TIMESTAMPTZ NOT NULL
);
