package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// list reads every page of a list, up to limit items when there is one.
func list[T any](ctx context.Context, c client, path, name string, query url.Values, limit int) ([]T, error) {
	all := []T{} // never null in JSON
	for {
		query.Set("limit", fmt.Sprint(pageOf(limit-len(all), limit > 0)))
		var page map[string]json.RawMessage
		if err := c.get(ctx, path+"?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		var items []T
		var next string
		if err := json.Unmarshal(page[name], &items); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		_ = json.Unmarshal(page["next"], &next) // the last page has none
		all = append(all, items...)
		if next == "" || limit > 0 && len(all) >= limit {
			return all, nil
		}
		query.Set("cursor", next)
	}
}

// pageOf is how many items to ask for: the most that there can be, or what is
// still wanted.
func pageOf(left int, bounded bool) int {
	const most = 1000
	if bounded && left < most {
		return left
	}
	return most
}

// set adds parameters that are not empty.
func set(query url.Values, pairs ...string) url.Values {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return query
}
