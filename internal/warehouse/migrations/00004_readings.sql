-- One row is one measurement without a unit: saturation, budget burn, cost.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "readings"}} (
  id          FixedString(16),         -- UUID, big endian: sorts by its time bits
  day         Date,                    -- of the time bits of the id, so that a resend meets its twin
  environment LowCardinality(String),
  name        LowCardinality(String),
  value       Int64,                   -- millionths
  at          DateTime64(3, 'UTC'),
  received    DateTime64(3, 'UTC'),
  labels      Map(LowCardinality(String), String),
  synthetic   Bool,
  _shard      LowCardinality(String),
  _seq        UInt64,
  _idx        UInt32,
  _ver        UInt64,                  -- falls with (_seq, _idx): merging keeps the first arrival
  INDEX ix_seq _seq TYPE minmax GRANULARITY 1
)
ENGINE = {{.Engine "ReplacingMergeTree" "_ver"}}
PARTITION BY day
ORDER BY (environment, name, id)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "readings" "cityHash64(id)"}}
