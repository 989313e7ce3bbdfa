-- One row is one unit of one metric event. An event that belongs to two units is two rows.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "metrics"}} (
  id          FixedString(16),         -- UUID, big endian: sorts by its time bits
  day         Date,                    -- of the time bits of the id, so that a resend meets its twin
  environment LowCardinality(String),
  name        LowCardinality(String),
  unit_kind   LowCardinality(String),
  unit        UInt64,                  -- keyed hash of the unit's id
  value       Int64,                   -- millionths
  at          DateTime64(3, 'UTC'),
  received    DateTime64(3, 'UTC'),
  attributes  Map(LowCardinality(String), String),
  synthetic   Bool,
  _shard      LowCardinality(String),
  _seq        UInt64,
  _idx        UInt32,
  _ver        UInt64,                  -- falls with (_seq, _idx): merging keeps the first arrival
  INDEX ix_seq _seq TYPE minmax GRANULARITY 1
)
ENGINE = {{.Engine "ReplacingMergeTree" "_ver"}}
PARTITION BY day
ORDER BY (environment, name, unit_kind, unit, id)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "metrics" "unit"}}
