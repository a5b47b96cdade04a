-- Trials of a sweep over parameters, which any number of processes share: a row is a job until it has a result. What a trial's
-- parameters are those who ask for it know: a sweep is named by the hash of all that it tries, in its order.

CREATE TABLE trials (
  sweep        TEXT             NOT NULL CHECK (sweep ~ '^[0-9a-f]{32}$'),
  place        INTEGER          NOT NULL CHECK (place >= 0),
  -- The same for the same trial in another sweep.
  key          TEXT             NOT NULL CHECK (key ~ '^[0-9a-f]{32}$'),
  put_at       TIMESTAMPTZ      NOT NULL DEFAULT clock_timestamp(),
  -- Who runs it, until when nobody else may; null: nobody.
  holder       UUID,
  lease_until  TIMESTAMPTZ,
  -- Times that it was taken and not handed back.
  tries        INTEGER          NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- Of its last failure.
  reason       TEXT,
  -- The result, null together: USD at the begin and at the end of each whole day, doubles of 8 bytes, the lowest first.
  daily        BYTEA            CHECK (octet_length(daily) % 8 = 0),
  moves        INTEGER,
  costs_usd    DOUBLE PRECISION,
  turnover_usd DOUBLE PRECISION,
  PRIMARY KEY (sweep, place),
  CHECK ((holder IS NULL) = (lease_until IS NULL)),
  CHECK (num_nulls(daily, moves, costs_usd, turnover_usd) IN (0, 4)),
  CHECK (daily IS NULL OR holder IS NULL)
);
CREATE INDEX trials_left ON trials (sweep, place) WHERE daily IS NULL;
CREATE INDEX trials_done ON trials (key) WHERE daily IS NOT NULL;
CREATE INDEX trials_old ON trials (put_at);
