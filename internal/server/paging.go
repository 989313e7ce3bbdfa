package server

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-hq/sluice/event"
)

// Page is what every list can be asked for. It is exported because the API
// layer fills exported fields alone, also those that are embedded.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"at most so many"`
	Cursor string `query:"cursor" doc:"next of the page before; a list that grows meanwhile shifts nothing"`
	at     url.URL
}

// Resolve implements huma.Resolver: the address of the next page is this
// request's with another cursor.
func (p *Page) Resolve(ctx huma.Context) []error {
	p.at = ctx.URL()
	return nil
}

// Next says where the next page is: in the body, and in the header that RFC
// 8288 has for it.
type Next struct {
	cursor string
	link   string
}

// order says where a list's items stand: an item's place is a text, and beyond
// tells whether an item comes behind the place that a cursor holds.
type order[T any] struct {
	list   string // name; a cursor of another list is refused
	place  func(T) string
	beyond func(item T, place string) bool
}

// rising is the order of a list that is sorted by its places.
func rising[T any](list string, place func(T) string) order[T] {
	return order[T]{list, place, func(item T, at string) bool { return place(item) > at }}
}

// newest is the order of a list of events, the last one first.
func newest[T any](list string, seq func(T) uint64) order[T] {
	place := func(item T) string { return fmt.Sprintf("%020d", seq(item)) }
	return order[T]{list, place, func(item T, at string) bool { return place(item) < at }}
}

// cut returns the page of a sorted list that was asked for. A cursor holds the
// place of the last item that was shown, so that what comes in between is
// neither shown twice nor passed over.
func cut[T any](p Page, o order[T], all []T) ([]T, Next, error) {
	from, err := p.from(o.list)
	if err != nil {
		return nil, Next{}, err
	}
	if from != "" {
		i := 0
		for i < len(all) && !o.beyond(all[i], from) {
			i++
		}
		all = all[i:]
	}
	limit := p.Limit
	if limit == 0 {
		limit = 100 // of a caller in Go
	}
	if len(all) <= limit {
		return append([]T{}, all...), Next{}, nil // never null in JSON
	}
	all = all[:limit:limit]
	cursor := base64.RawURLEncoding.EncodeToString([]byte(o.list + "\x00" + o.place(all[limit-1])))
	return all, Next{cursor, p.link(cursor)}, nil
}

// from returns the place that the cursor holds, "" for the start.
func (p Page) from(list string) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	place, ok := strings.CutPrefix(string(text), list+"\x00")
	if err != nil || !ok || place == "" {
		return "", p.noCursor()
	}
	return place, nil
}

func (p Page) noCursor() error {
	return event.Invalids{{Path: "cursor", Value: p.Cursor, Why: "is not a cursor of this list", Fix: "take next of the page before, or leave it out"}}
}

// link writes the Link header for the page at a cursor.
func (p Page) link(cursor string) string {
	query := p.at.Query()
	query.Set("cursor", cursor)
	return fmt.Sprintf(`<%s?%s>; rel="next"`, p.at.EscapedPath(), query.Encode())
}
