-- The keeper's own breaker: what tripped it, and who reset it with what reason; and the highest share price since the last
-- reset. Of a vault and not of one keeper: whichever instance runs, it is stopped.

CREATE TABLE breaker_trips (
  id           BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chain_id     BIGINT      NOT NULL CHECK (chain_id > 0),
  vault        TEXT        NOT NULL CHECK (vault LIKE '0x%'),
  cause        TEXT        NOT NULL CHECK (cause IN
    ('drawdown', 'oracle', 'data-outage', 'model-drift', 'gas-spike', 'operator')),
  detail       TEXT        NOT NULL CHECK (detail <> ''),
  -- All positions are to go to idle.
  closes       BOOLEAN     NOT NULL,
  block_number BIGINT      NOT NULL CHECK (block_number >= 0),
  observed_at  TIMESTAMPTZ NOT NULL,
  available_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  reset_at     TIMESTAMPTZ,
  reset_reason TEXT        CHECK (reset_reason <> ''),
  CHECK ((reset_at IS NULL) = (reset_reason IS NULL))
);
-- Latched: a cause that goes on is one trip.
CREATE UNIQUE INDEX breaker_open ON breaker_trips (chain_id, lower(vault), cause) WHERE reset_at IS NULL;
CREATE INDEX breaker_by_time ON breaker_trips (chain_id, lower(vault), id DESC);

CREATE TABLE breaker_references (
  chain_id    BIGINT      NOT NULL CHECK (chain_id > 0),
  -- Lower case: it is part of the key.
  vault       TEXT        NOT NULL CHECK (vault LIKE '0x%' AND vault = lower(vault)),
  share_price NUMERIC(78) NOT NULL CHECK (share_price >= 0),
  observed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (chain_id, vault)
);
