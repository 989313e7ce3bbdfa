-- One row is one look of the controller at a rollout, decided or not: the readout over time.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS {{.Table "looks"}} (
  rollout     LowCardinality(String),
  at          DateTime64(3, 'UTC'),
  stage       LowCardinality(String),
  action      LowCardinality(String),
  reason      String,
  data        String                   -- JSON
)
ENGINE = {{.Engine "ReplacingMergeTree"}}
PARTITION BY toYYYYMM(at)
ORDER BY (rollout, at)
SETTINGS {{.Settings}}, min_free_disk_ratio_to_perform_insert = 0.05;
{{.Spread "looks" "cityHash64(rollout)"}}
