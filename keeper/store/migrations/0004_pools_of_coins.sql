-- Events of pools that hold a list of coins (Curve): what came and went of each, the fees that the event says, and the receipts
-- outstanding after it. Such a pool has no ticks, and not every event of it says how many receipts came or went.

ALTER TABLE pool_events ADD COLUMN coin_amounts NUMERIC(78)[];
ALTER TABLE pool_events ADD COLUMN coin_fees NUMERIC(78)[];
ALTER TABLE pool_events ADD COLUMN receipts NUMERIC(78) CHECK (receipts >= 0);

ALTER TABLE pool_events ALTER COLUMN liquidity DROP NOT NULL;
ALTER TABLE pool_events DROP CONSTRAINT pool_events_check1;
ALTER TABLE pool_events DROP CONSTRAINT pool_events_check2;
ALTER TABLE pool_events ADD CONSTRAINT pool_events_of_ticks CHECK (coin_amounts IS NOT NULL OR (
  liquidity IS NOT NULL
  AND (kind = 'swap') = (sqrt_price_x96 IS NOT NULL AND tick IS NOT NULL)
  AND (kind = 'swap') = (tick_lower IS NULL AND tick_upper IS NULL)));
ALTER TABLE pool_events ADD CONSTRAINT pool_events_of_coins CHECK (coin_amounts IS NULL OR (
  num_nonnulls(sqrt_price_x96, tick, tick_lower, tick_upper) = 0
  AND coin_amounts[1] = amount0 AND coin_amounts[2] = amount1));
