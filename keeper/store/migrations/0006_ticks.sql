-- What each tick of a process decided on beside its block's snapshot, and the hash of the decision's record: with it every
-- decision can be made again, also the holds that `decisions` leaves out because nothing changed.

CREATE TABLE ticks (
  id           BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chain_id     BIGINT      NOT NULL CHECK (chain_id > 0),
  vault        TEXT        NOT NULL CHECK (vault LIKE '0x%'),
  -- Of one process: what it remembers of earlier blocks begins with it.
  run          TEXT        NOT NULL CHECK (run <> ''),
  dry_run      BOOLEAN     NOT NULL,
  -- How it remembers, canonical JSON.
  memory       TEXT        NOT NULL CHECK (memory <> ''),
  block_hash   TEXT        NOT NULL CHECK (block_hash ~ '^0x[0-9a-f]+$'),
  observed_at  TIMESTAMPTZ NOT NULL,
  available_at TIMESTAMPTZ NOT NULL,
  base_fee     NUMERIC(78) NOT NULL CHECK (base_fee >= 0),
  -- Canonical JSON; null with the hash: a plan was in flight, or the tick failed.
  inputs       TEXT,
  record_hash  TEXT        CHECK (record_hash ~ '^0x[0-9a-f]+$'),
  CHECK ((inputs IS NULL) = (record_hash IS NULL)),
  UNIQUE (run, block_hash)
);
CREATE INDEX ticks_of_run ON ticks (run, id);
CREATE INDEX ticks_by_vault ON ticks (chain_id, lower(vault), observed_at);
