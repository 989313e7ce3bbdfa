package warehouse

import (
	"context"
	"fmt"
)

// mostParts is how many values of an attribute have a part of their own: those
// with the most units. More would be a table that nobody reads, each of its
// parts too small to say anything.
const mostParts = 20

func (r *reading) valuesSQL() string {
	return `SELECT value FROM (SELECT place.3 AS value, countIf(NOT two AND ` + r.fresh() + ` AND first <= {until:Int64}) AS n FROM (` + brokenUnits + `
) GROUP BY value)
ORDER BY n DESC, value LIMIT {most:UInt64}`
}

// Breakdown answers a question for the units of each value of an attribute, the
// parts with the most units first and the rest last. A unit has the value of
// its first exposure in an epoch, so that what a variant does to the attribute
// later moves nobody. Caps are those of all units together.
func (w *Warehouse) Breakdown(ctx context.Context, q Question, attribute string) ([]Part, error) {
	r := &reading{Question: q, by: attribute, values: []string{""}, answers: map[uint64]*Answer{}}
	if attribute == "" {
		return nil, fmt.Errorf("breaking down %s: no attribute is named", q.Rollout)
	}
	values, err := w.partValues(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("breaking down %s by %s: %w", q.Rollout, attribute, err)
	}
	if len(values) == 0 {
		return nil, nil
	}
	r.values = values
	if err := w.read(ctx, r); err != nil {
		return nil, fmt.Errorf("breaking down by %s: %w", attribute, err)
	}
	var parts []Part
	for i, v := range values {
		parts = append(parts, Part{Value: v, Answer: *r.answer(uint64(i + 1))})
	}
	if rest, ok := r.answers[0]; ok {
		parts = append(parts, Part{Rest: true, Answer: *rest})
	}
	return parts, nil
}

// partValues returns the values that most units have.
func (w *Warehouse) partValues(ctx context.Context, r *reading) ([]string, error) {
	p := r.params()
	p["most"] = mostParts
	asked := r.ask(OfUnits, r.valuesSQL(), p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, rows.Err()
}
