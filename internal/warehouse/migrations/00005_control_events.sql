-- One row is one event of the control log. _seq is its place there.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "control_events"}} (
  id          FixedString(16),         -- UUID, big endian: sorts by its time bits
  day         Date,                    -- of at
  type        LowCardinality(String),
  subject     String,
  source      LowCardinality(String),
  actor       LowCardinality(String),
  cause       String,
  data        String,                  -- JSON
  prev        FixedString(32),         -- SHA-256 of the last event of the same subject
  hash        FixedString(32),         -- SHA-256 of prev and the canonical envelope
  at          DateTime64(3, 'UTC'),
  seq         UInt64 ALIAS _seq,
  _shard      LowCardinality(String),
  _seq        UInt64,
  _idx        UInt32,
  _ver        UInt64,                  -- falls with (_seq, _idx): merging keeps the first arrival
  INDEX ix_seq _seq TYPE minmax GRANULARITY 1
)
ENGINE = {{.Engine "ReplacingMergeTree" "_ver"}}
PARTITION BY toYYYYMM(day)
ORDER BY (_seq, id)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "control_events" "_seq"}}
