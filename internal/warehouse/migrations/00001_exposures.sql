-- One row is one unit that met one variant of a flag.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "exposures"}} (
  id          FixedString(16),         -- UUID, big endian: sorts by its time bits
  day         Date,                    -- of the time bits of the id, so that a resend meets its twin
  environment LowCardinality(String),
  flag        LowCardinality(String),
  variant     LowCardinality(String),
  unit_kind   LowCardinality(String),
  unit        UInt64,                  -- keyed hash of the unit's id
  revision    UInt64,
  rollout     LowCardinality(String),  -- this and the next three are of the control history at revision
  epoch       Int32,
  stage       LowCardinality(String),
  arm         LowCardinality(String),
  enrolled    Bool,
  differs     Bool,                    -- what the sender said of the rollout was something else
  reason      LowCardinality(String),
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
ORDER BY (environment, flag, unit_kind, unit, id)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "exposures" "unit"}}
