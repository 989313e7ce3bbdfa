-- One row is one look of the controller at a rollout, decided or not: the readout over time.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS looks (
  rollout     LowCardinality(String),
  at          DateTime64(3, 'UTC'),
  stage       LowCardinality(String),
  action      LowCardinality(String),
  reason      String,
  data        String                   -- JSON
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (rollout, at)
SETTINGS non_replicated_deduplication_window = 10000,
  fsync_after_insert = 1, fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1,
  old_parts_lifetime = 480, min_free_disk_ratio_to_perform_insert = 0.05;
