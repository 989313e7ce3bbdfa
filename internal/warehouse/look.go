package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Look is one look of the controller at a rollout: what it saw and thought,
// whether it decided anything or not.
type Look struct {
	Rollout   string            `json:"rollout"` // "<env>/<flag>/<n>"
	At        time.Time         `json:"at"`      // to the millisecond; one look per rollout and time
	Stage     string            `json:"stage"`
	Action    string            `json:"action"` // the verdict's
	Reason    string            `json:"reason"`
	Data      json.RawMessage   `json:"data,omitempty"`      // the numbers, metric by metric
	Decision  string            `json:"decision,omitempty"`  // ID, when the verdict was recorded
	Watermark map[string]uint64 `json:"watermark,omitempty"` // by shard: the last message that is counted in it
	Hash      event.Hash        `json:"hash,omitzero"`       // over the hashes of what was asked; zero in looks from before it was kept
	Record    json.RawMessage   `json:"record,omitempty"`    // the rest of the look
}

// InsertLook stores a look. The same look again changes nothing.
func (w *Warehouse) InsertLook(ctx context.Context, l Look) error {
	token := "look|" + l.Rollout + "|" + strconv.FormatInt(l.At.UnixMilli(), 10)
	if err := w.insert(ctx, tableLooks, token, lookColumns([]Look{l})); err != nil {
		return fmt.Errorf("inserting a look at %s: %w", l.Rollout, err)
	}
	return nil
}

// Looks returns the looks at a rollout that are not younger than a time, the
// newest first, at most limit.
func (w *Warehouse) Looks(ctx context.Context, rollout string, until time.Time, limit int) ([]Look, error) {
	rows, err := query(ctx, w.reader, `SELECT rollout, at, stage, action, reason, data, decision, watermark, hash, record FROM looks FINAL
WHERE rollout = {rollout:String} AND at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC') ORDER BY at DESC LIMIT {limit:UInt64}`,
		Params{"rollout": rollout, "until": until.UnixMilli(), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("reading the looks at %s: %w", rollout, err)
	}
	defer rows.Close()
	var out []Look
	for rows.Next() {
		var l Look
		var data, record string
		if err := rows.Scan(&l.Rollout, &l.At, &l.Stage, &l.Action, &l.Reason, &data, &l.Decision, &l.Watermark, &l.Hash, &record); err != nil {
			return nil, fmt.Errorf("reading the looks at %s: %w", rollout, err)
		}
		l.Data, l.Record = document(data), document(record)
		out = append(out, l)
	}
	return out, rows.Err()
}

// document returns a stored text as JSON; nothing was stored as "".
func document(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
