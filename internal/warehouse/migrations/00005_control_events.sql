-- One row is one event of the control log. _seq is its place there.
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS control_events (
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
ENGINE = ReplacingMergeTree(_ver)
PARTITION BY toYYYYMM(day)
ORDER BY (_seq, id)
SETTINGS non_replicated_deduplication_window = 10000,
  fsync_after_insert = 1, fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1,
  old_parts_lifetime = 480, min_free_disk_ratio_to_perform_insert = 0.05;
