-- What the events of every unit of a rollout add up to, for every measure. Rows
-- are signed, as those of assignments: a unit has at each time one row with n = 1
-- that is not taken back. Sums over n times anything are sums over the units.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "unit_totals"}} (
  leaf    UInt64,
  measure UInt64,                  -- number of the measure in the manifest; 0: a mark that the statement was carried out
  epoch   Int32,
  unit    UInt64,
  first   Int64,                   -- this and the next two are those of the assignment
  stage   LowCardinality(String),
  arm     LowCardinality(String),
  fresh   Int64,                   -- newest event since the first exposure, milliseconds
  k       Int64,                   -- events within the window
  s       Int128,                  -- sum of their values
  d       Int128,                  -- sum of the denominator's values within the window
  pk      Int64,                   -- events in the lookback
  ps      Int128,                  -- sum of their values
  pd      Int128,                  -- sum of the denominator's values in the lookback
  n       Int64                    -- 1 or -1
)
ENGINE = {{.Engine "MergeTree"}}
PARTITION BY leaf
ORDER BY (measure, epoch, unit)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "unit_totals" "unit"}}
