-- The main path: what was seen, what was decided, what was sent. Money is NUMERIC in the asset's smallest unit, times
-- are block or wall-clock instants, records are the exact text that was hashed. Addresses are compared without case.

CREATE TABLE snapshots (
  chain_id     BIGINT      NOT NULL CHECK (chain_id > 0),
  vault        TEXT        NOT NULL CHECK (vault LIKE '0x%'),
  block_number BIGINT      NOT NULL CHECK (block_number >= 0),
  block_hash   TEXT        NOT NULL CHECK (block_hash ~ '^0x[0-9a-f]+$'),
  observed_at  TIMESTAMPTZ NOT NULL,
  available_at TIMESTAMPTZ NOT NULL,
  payload      TEXT        NOT NULL,
  total_assets NUMERIC(78) NOT NULL CHECK (total_assets >= 0),
  share_price  NUMERIC(78) NOT NULL CHECK (share_price >= 0)
);
-- A block that a reorganisation replaced keeps its row: its hash tells it from the one that stayed.
CREATE UNIQUE INDEX snapshots_by_block ON snapshots (chain_id, lower(vault), block_hash);
CREATE INDEX snapshots_by_height ON snapshots (chain_id, lower(vault), block_number DESC);

-- Grows without end, so it is partitioned by time from the start; the default partition holds everything until a later
-- migration cuts it. The key holds the partition's column because PostgreSQL asks for that.
CREATE TABLE observations (
  chain_id     BIGINT           NOT NULL CHECK (chain_id > 0),
  venue        TEXT             NOT NULL CHECK (venue <> ''),
  adapter      TEXT             NOT NULL CHECK (adapter LIKE '0x%'),
  block_number BIGINT           NOT NULL CHECK (block_number >= 0),
  block_hash   TEXT             NOT NULL CHECK (block_hash ~ '^0x[0-9a-f]+$'),
  observed_at  TIMESTAMPTZ      NOT NULL,
  available_at TIMESTAMPTZ      NOT NULL,
  source       TEXT             NOT NULL CHECK (source <> ''),
  supplied     NUMERIC(78)      CHECK (supplied >= 0),
  borrowed     NUMERIC(78)      CHECK (borrowed >= 0),
  -- Null: not known yet, as at the first sight of an index, whose growth needs a second one. `without_us`: what the
  -- venue would pay were the vault's position not there.
  supply_apr   DOUBLE PRECISION CHECK (supply_apr > '-Infinity' AND supply_apr < 'Infinity'),
  supply_apr_without_us DOUBLE PRECISION
    CHECK (supply_apr_without_us > '-Infinity' AND supply_apr_without_us < 'Infinity'),
  borrow_apr   DOUBLE PRECISION CHECK (borrow_apr > '-Infinity' AND borrow_apr < 'Infinity'),
  vault_assets NUMERIC(78)      NOT NULL CHECK (vault_assets >= 0),
  yield_index  NUMERIC(78)      CHECK (yield_index > 0),
  PRIMARY KEY (chain_id, adapter, observed_at, block_hash, source)
) PARTITION BY RANGE (observed_at);
CREATE TABLE observations_default PARTITION OF observations DEFAULT;
CREATE INDEX observations_by_time ON observations (chain_id, observed_at, available_at);

CREATE TABLE decisions (
  id           TEXT        PRIMARY KEY CHECK (id <> ''),
  chain_id     BIGINT      NOT NULL CHECK (chain_id > 0),
  vault        TEXT        NOT NULL CHECK (vault LIKE '0x%'),
  block_number BIGINT      NOT NULL CHECK (block_number >= 0),
  block_hash   TEXT        NOT NULL CHECK (block_hash ~ '^0x[0-9a-f]+$'),
  decided_at   TIMESTAMPTZ NOT NULL,
  available_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  action       TEXT        NOT NULL CHECK (action IN ('rebalance', 'hold')),
  reason       TEXT        NOT NULL,
  record       TEXT        NOT NULL,
  record_hash  TEXT        NOT NULL CHECK (record_hash ~ '^0x[0-9a-f]+$'),
  dry_run      BOOLEAN     NOT NULL DEFAULT FALSE
);
CREATE INDEX decisions_by_height ON decisions (chain_id, lower(vault), block_number DESC, available_at DESC);

CREATE TABLE intents (
  id                  TEXT        PRIMARY KEY,
  -- One intent a decision: a decision can then be included at most once.
  decision_id         TEXT        NOT NULL UNIQUE REFERENCES decisions (id),
  chain_id            BIGINT      NOT NULL CHECK (chain_id > 0),
  vault               TEXT        NOT NULL CHECK (vault LIKE '0x%'),
  keeper              TEXT        NOT NULL CHECK (keeper LIKE '0x%'),
  plan_nonce          NUMERIC(78) NOT NULL CHECK (plan_nonce >= 0),
  account_nonce       BIGINT      NOT NULL CHECK (account_nonce >= 0),
  calldata            TEXT        NOT NULL CHECK (calldata LIKE '0x%'),
  gas_limit           NUMERIC(78) NOT NULL CHECK (gas_limit > 0),
  deadline            TIMESTAMPTZ NOT NULL,
  decided_block       BIGINT      NOT NULL CHECK (decided_block >= 0),
  state               TEXT        NOT NULL DEFAULT 'planned' CHECK (state IN
    ('planned', 'simulated', 'submitted', 'missed', 'included', 'final', 'reorged', 'abandoned')),
  reason              TEXT,
  included_block      BIGINT      CHECK (included_block >= 0),
  included_block_hash TEXT        CHECK (included_block_hash ~ '^0x[0-9a-f]+$'),
  tx_hash             TEXT        CHECK (tx_hash ~ '^0x[0-9a-f]+$'),
  observed_at         TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  available_at        TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  CHECK (state NOT IN ('included', 'final') OR included_block IS NOT NULL),
  CHECK (state <> 'abandoned' OR reason IS NOT NULL)
);
-- The heart of "never twice": one live plan for each nonce. A plan that was given up, or is final, blocks nothing.
CREATE UNIQUE INDEX intents_live ON intents (chain_id, lower(vault), lower(keeper), plan_nonce)
  WHERE state IN ('planned', 'simulated', 'submitted', 'missed', 'included', 'reorged');
CREATE INDEX intents_by_keeper ON intents (chain_id, lower(vault), lower(keeper), state);

CREATE TABLE submissions (
  id                       TEXT        PRIMARY KEY,
  intent_id                TEXT        NOT NULL REFERENCES intents (id),
  relay                    TEXT        NOT NULL CHECK (relay <> ''),
  target_block             BIGINT      NOT NULL CHECK (target_block >= 0),
  tx_hash                  TEXT        CHECK (tx_hash ~ '^0x[0-9a-f]+$'),
  bundle_hash              TEXT        CHECK (bundle_hash ~ '^0x[0-9a-f]+$'),
  max_fee_per_gas          NUMERIC(78) NOT NULL CHECK (max_fee_per_gas >= 0),
  max_priority_fee_per_gas NUMERIC(78) NOT NULL CHECK (max_priority_fee_per_gas >= 0),
  state                    TEXT        NOT NULL DEFAULT 'signing' CHECK (state IN
    ('signing', 'sent', 'refused', 'missed', 'included')),
  error                    TEXT,
  observed_at              TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  available_at             TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (intent_id, relay, target_block)
);
