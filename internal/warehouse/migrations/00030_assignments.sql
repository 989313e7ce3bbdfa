-- The units of every rollout by their first exposure. Rows are signed: what a
-- unit was is taken back by a row with n = -1 when it becomes something else.
-- A row with seen > 0 counts exposures instead. A leaf counts when the manifest
-- of its shard names it, and never changes.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "assignments"}} (
  leaf    UInt64,
  rollout LowCardinality(String),
  kind    LowCardinality(String),  -- of the units
  epoch   Int32,
  unit    UInt64,
  first   Int64,                   -- first exposure in the epoch, milliseconds
  stage   LowCardinality(String),  -- this and the next are of the first exposure
  arm     LowCardinality(String),
  two     Bool,                    -- the unit saw two arms in the epoch
  n       Int64,                   -- 1 or -1
  seen    UInt64,                  -- different exposures of enrolled units
  newest  Int64                    -- the newest of them, milliseconds
)
ENGINE = {{.Engine "MergeTree"}}
PARTITION BY leaf
ORDER BY (rollout, kind, epoch, unit)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "assignments" "unit"}}
