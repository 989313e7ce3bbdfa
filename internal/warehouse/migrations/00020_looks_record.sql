-- What a look saw, whole: the numbers as they were, how far the facts were counted, and what was asked.
-- +goose NO TRANSACTION
-- +goose Up
{{range .Both "looks"}}ALTER TABLE {{.}}
  ADD COLUMN IF NOT EXISTS decision  String,                               -- id, when the verdict was recorded
  ADD COLUMN IF NOT EXISTS watermark Map(LowCardinality(String), UInt64),  -- by shard: the last message that is counted in it
  ADD COLUMN IF NOT EXISTS hash      FixedString(32),                      -- SHA-256 over the hashes of the queries; zeros in looks from before this column
  ADD COLUMN IF NOT EXISTS record    String CODEC(ZSTD(3)); -- JSON: the look without the numbers in data
{{end}}
