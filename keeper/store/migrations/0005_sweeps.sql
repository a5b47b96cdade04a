-- Points that a sweep of long ago added to a series and that were not judged yet, by their flag (UNJUDGED of historyRecords.ts):
-- few or none at a time, and found without reading the series.
CREATE INDEX history_unjudged ON history (series_id) WHERE flags & 4096 <> 0;
