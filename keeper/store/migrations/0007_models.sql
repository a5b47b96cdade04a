-- Trained models that this database knows: which one is served, what each said beside what came, and what their online part knows.
-- The files stay in their folder; a row names one by the hash of its model.onnx.

CREATE TABLE models (
  hash          TEXT        PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
  name          TEXT        NOT NULL CHECK (name <> ''),
  -- As it was when the model was registered.
  card          TEXT        NOT NULL,
  status        TEXT        NOT NULL CHECK (status IN ('challenger', 'champion', 'retired')),
  registered_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX models_champion ON models (status) WHERE status = 'champion';

-- Who was served since when. Null: the EWMA.
CREATE TABLE model_changes (
  id         BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind       TEXT        NOT NULL CHECK (kind IN ('shipped', 'promoted', 'rolled-back')),
  hash       TEXT        REFERENCES models,
  previous   TEXT        REFERENCES models,
  reason     TEXT        NOT NULL CHECK (reason <> ''),
  -- What the change rests on, JSON; null: a rollback rests on nothing.
  scores     TEXT,
  changed_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- What a model said at whole hours, served or in its shadow, the baseline beside it, and what came. Fractions a year.
CREATE TABLE model_forecasts (
  chain_id      BIGINT           NOT NULL CHECK (chain_id > 0),
  series        TEXT             NOT NULL CHECK (series <> ''),
  horizon_hours INTEGER          NOT NULL CHECK (horizon_hours > 0),
  made_at       TIMESTAMPTZ      NOT NULL,
  model_hash    TEXT             NOT NULL REFERENCES models,
  served        BOOLEAN          NOT NULL,
  -- Said within the hour; else the hour was caught up with later, by a model that may have been chosen for it.
  live          BOOLEAN          NOT NULL,
  point         DOUBLE PRECISION NOT NULL CHECK (point > '-Infinity' AND point < 'Infinity'),
  low           DOUBLE PRECISION NOT NULL CHECK (low <= high),
  high          DOUBLE PRECISION NOT NULL CHECK (high < 'Infinity'),
  baseline      DOUBLE PRECISION NOT NULL CHECK (baseline > '-Infinity' AND baseline < 'Infinity'),
  came          DOUBLE PRECISION CHECK (came > '-Infinity' AND came < 'Infinity'),
  PRIMARY KEY (model_hash, chain_id, series, horizon_hours, made_at)
);

-- The online part: weights, bounds, what has still to come true. JSON; '' stands for no model.
CREATE TABLE forecast_states (
  chain_id   BIGINT      NOT NULL CHECK (chain_id > 0),
  series     TEXT        NOT NULL CHECK (series <> ''),
  model_hash TEXT        NOT NULL,
  state      TEXT        NOT NULL,
  stepped_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (chain_id, series, model_hash)
);
