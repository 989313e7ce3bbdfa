package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Look is one look of the controller at a rollout: what it saw and thought,
// whether it decided anything or not.
type Look struct {
	Rollout string          `json:"rollout"` // "<env>/<flag>/<n>"
	At      time.Time       `json:"at"`      // to the millisecond; one look per rollout and time
	Stage   string          `json:"stage"`
	Action  string          `json:"action"` // the verdict's
	Reason  string          `json:"reason"`
	Data    json.RawMessage `json:"data,omitempty"` // the numbers that a page draws
}

// InsertLook stores a look. The same look again changes nothing.
func (w *Warehouse) InsertLook(ctx context.Context, l Look) error {
	token := "look|" + l.Rollout + "|" + strconv.FormatInt(l.At.UnixMilli(), 10)
	if err := w.insert(ctx, tableLooks, token, lookColumns([]Look{l})); err != nil {
		return fmt.Errorf("inserting a look at %s: %w", l.Rollout, err)
	}
	return nil
}

// Looks returns the newest looks at a rollout, at most limit, oldest first.
func (w *Warehouse) Looks(ctx context.Context, rollout string, limit int) ([]Look, error) {
	rows, err := query(ctx, w.reader, `SELECT rollout, at, stage, action, reason, data FROM looks FINAL
WHERE rollout = {rollout:String} ORDER BY at DESC LIMIT {limit:UInt64}`, Params{"rollout": rollout, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("reading the looks at %s: %w", rollout, err)
	}
	defer rows.Close()
	var out []Look
	for rows.Next() {
		var l Look
		var data string
		if err := rows.Scan(&l.Rollout, &l.At, &l.Stage, &l.Action, &l.Reason, &data); err != nil {
			return nil, fmt.Errorf("reading the looks at %s: %w", rollout, err)
		}
		if data != "" {
			l.Data = json.RawMessage(data)
		}
		out = append(out, l)
	}
	slices.Reverse(out)
	return out, rows.Err()
}
