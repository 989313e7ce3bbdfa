-- Who recorded an exposure: empty for its sender; others may have lost some.
-- +goose NO TRANSACTION
-- +goose Up
{{range .Both "exposures"}}ALTER TABLE {{.}} ADD COLUMN IF NOT EXISTS source LowCardinality(String);
{{end}}
