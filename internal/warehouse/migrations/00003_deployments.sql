-- One row is one version of a service that went live.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "deployments"}} (
  id          FixedString(16),         -- UUID, big endian: sorts by its time bits
  day         Date,                    -- of the time bits of the id, so that a resend meets its twin
  environment LowCardinality(String),
  service     LowCardinality(String),
  version     String,
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
ORDER BY (environment, service, id)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "deployments" "cityHash64(id)"}}
