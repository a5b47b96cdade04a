-- Refits of the model of rates on what this database holds: when each was begun, and how it ended.

CREATE TABLE refits (
  id       BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chain_id BIGINT      NOT NULL CHECK (chain_id > 0),
  begun_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  ended_at TIMESTAMPTZ,
  -- 'running' says so until the next one is begun, also of a process that was killed: it is 'abandoned' by then.
  outcome  TEXT        NOT NULL DEFAULT 'running'
    CHECK (outcome IN ('running', 'done', 'failed', 'stopped', 'abandoned')),
  hash     TEXT        REFERENCES models,
  -- Of a failure, in words.
  reason   TEXT,
  CHECK ((outcome = 'running') = (ended_at IS NULL)),
  CHECK ((outcome = 'done') = (hash IS NOT NULL))
);
CREATE INDEX refits_of_chain ON refits (chain_id, id);
CREATE UNIQUE INDEX refits_running ON refits (chain_id) WHERE outcome = 'running';
