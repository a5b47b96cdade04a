-- Indices of what the loop and the page ask again and again, so that no answer takes longer as the tables grow.

-- The share price hour by hour.
CREATE INDEX snapshots_by_time ON snapshots (chain_id, lower(vault), observed_at);
-- The latest rebalances, among many holds.
CREATE INDEX decisions_rebalances ON decisions (chain_id, lower(vault), block_number DESC, available_at DESC)
  WHERE action = 'rebalance';
-- Bundles that were not included.
CREATE INDEX submissions_missed ON submissions (intent_id, target_block) WHERE state = 'missed';
-- What a model said of late, of any series.
CREATE INDEX model_forecasts_by_time ON model_forecasts (model_hash, made_at);
