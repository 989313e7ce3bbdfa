package server

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// Letters knows the dead letters that wait.
type Letters interface {
	// Page returns some that a filter selects, as ingest.Letterbox does.
	Page(ctx context.Context, f ingest.LetterFilter, behind string, limit int) (ingest.LetterPage, error)
	// Select says what an order with the filter would be about.
	Select(ctx context.Context, f ingest.LetterFilter, replay bool) (letters int, upTo uint64, err error)
	// Hashed returns the name that a unit has in letters.
	Hashed(kind, id string) string
}

// lettersHere returns the dead letters, if this replica knows them.
func (s *server) lettersHere() (Letters, error) {
	if s.Letters == nil {
		return nil, fmt.Errorf("this replica knows no dead letters: %w", errNoSuch)
	}
	return s.Letters, nil
}

// Selection says which letters are meant: those that fit all of it. It is
// exported because the API layer fills exported fields alone, also those that
// are embedded.
type Selection struct {
	Reason      string    `query:"reason" json:"reason,omitempty" doc:"why they cannot be counted, such as unknown_metric"`
	Name        string    `query:"name" json:"name,omitempty" doc:"of the metric event"`
	Environment string    `query:"environment" json:"environment,omitempty"`
	Unit        string    `query:"unit" json:"unit,omitempty" doc:"kind and id of a unit, or its keyed hash, which is all that is stored" example:"user/u-17"`
	Text        string    `query:"text" json:"text,omitempty" doc:"somewhere in the event or in why it is dead, whatever the case"`
	Since       time.Time `query:"since" json:"since,omitzero" doc:"time of the event, at the least"`
	Until       time.Time `query:"until" json:"until,omitzero" doc:"and before this"`
}

// filter returns the filter that a selection stands for, for whoever asks.
func (c Selection) filter(ctx context.Context, l Letters) (ingest.LetterFilter, error) {
	f := ingest.LetterFilter{
		Reason: ingest.Reason(c.Reason), Name: c.Name, Environment: c.Environment, Text: c.Text, Since: c.Since, Until: c.Until,
		Sees: func(environment string) bool { return sees(ctx, environment, access.AnyKey) },
	}
	var faults event.Invalids
	if c.Reason != "" && !f.Reason.Known() {
		faults.Add("reason", c.Reason, "is not a reason", "write one that letters show, such as unknown_metric, unreadable, rejected or lost")
	}
	if !c.Until.IsZero() && !c.Since.Before(c.Until) {
		faults.Add("until", c.Until.Format(time.RFC3339), "is not behind since", "turn them around")
	}
	if c.Unit != "" {
		f.Unit = hashedUnit(&faults, c.Unit, l)
	}
	return f, faults.Err()
}

// hashedUnit returns the name that a unit has in letters. Who has that name
// already need not put the id into an address, which logs and proxies keep.
func hashedUnit(faults *event.Invalids, unit string, l Letters) string {
	if hash, ok := ingest.ParseUnit(unit); ok {
		return ingest.UnitText(hash)
	}
	kind, id, ok := strings.Cut(unit, "/")
	if !ok || event.CheckKey(kind) != "" || id == "" {
		faults.Add("unit", nil, "is not a kind and an id", "write one such as user/u-17, or the hash of one")
		return ""
	}
	return l.Hashed(kind, id)
}

type lettersIn struct {
	Page
	Selection
}

type lettersOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Total   int          `json:"total" doc:"letters that wait and are selected"`
		Letters []LetterView `json:"letters" doc:"newest buried first"`
		Next    string       `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// LetterView is a dead letter, and what to do about it.
type LetterView struct {
	ingest.Letter
	Fix      string `json:"fix" doc:"what to do about it"`
	Sendable bool   `json:"sendable" doc:"there is something to send again"`
}

func viewLetters(all []ingest.Letter) []LetterView {
	out := make([]LetterView, len(all)) // never null in JSON
	for i, l := range all {
		out[i] = LetterView{l, l.Fix(), l.Sendable()}
	}
	return out
}

const letterList = "dlq" // name in cursors

func (s *server) listLetters(ctx context.Context, in *lettersIn) (*lettersOut, error) {
	l, err := s.lettersHere()
	if err != nil {
		return nil, err
	}
	f, err := in.filter(ctx, l)
	if err != nil {
		return nil, err
	}
	behind, err := in.from(letterList)
	if err != nil {
		return nil, err
	}
	p, err := l.Page(ctx, f, behind, in.Limit)
	out := &lettersOut{}
	out.Body.Total, out.Body.Letters = p.Total, viewLetters(p.Letters)
	if p.Next != "" {
		out.Body.Next = base64.RawURLEncoding.EncodeToString([]byte(letterList + "\x00" + p.Next))
		out.Link = in.link(out.Body.Next)
	}
	return out, err
}

type letterIn struct {
	ID string `path:"id" doc:"shard, message and event" example:"facts-0.12.3"`
}

type letterOut struct{ Body LetterView }

func (s *server) getLetter(ctx context.Context, in *letterIn) (*letterOut, error) {
	l, err := s.lettersHere()
	if err != nil {
		return nil, err
	}
	f, _ := Selection{}.filter(ctx, l) // cannot fail: it names nothing
	f.IDs = []string{in.ID}
	p, err := l.Page(ctx, f, "", 1)
	if err != nil {
		return nil, err
	}
	if len(p.Letters) == 0 {
		return nil, fmt.Errorf("dead letter %s: %w", in.ID, errNoSuch)
	}
	return &letterOut{viewLetters(p.Letters)[0]}, nil
}

// Ordering is the body of an order about dead letters.
type Ordering struct {
	Selection
	IDs     []string `json:"ids,omitempty" maxItems:"1000" doc:"letters by name"`
	All     bool     `json:"all,omitempty" doc:"every letter that waits is meant"`
	Comment string   `json:"comment,omitempty" doc:"why; it stays on record"`
	Seen    *int     `json:"seen,omitempty" doc:"as many letters as a preview told; refused when there are others by now"`
}

type orderPreviewIn struct {
	Selection
	IDs    []string `query:"id,explode" maxItems:"1000" doc:"letters by name"`
	Replay bool     `query:"replay" doc:"of an order to send them again, not to purge them"`
}

// OrderPreview says what an order would be about.
type OrderPreview struct {
	Selected int `json:"selected" doc:"letters that wait and are selected"`
	Letters  int `json:"letters" doc:"of these, those that the order would be about: what is lost cannot be sent again"`
}

type orderPreviewOut struct{ Body OrderPreview }

// previewOrder says what an order about dead letters would be about.
func (s *server) previewOrder(ctx context.Context, in *orderPreviewIn) (*orderPreviewOut, error) {
	l, err := s.lettersHere()
	if err != nil {
		return nil, err
	}
	f, err := in.filter(ctx, l)
	if err != nil {
		return nil, err
	}
	f.IDs = in.IDs
	out := &orderPreviewOut{}
	if out.Body.Selected, _, err = l.Select(ctx, f, false); err != nil {
		return nil, err
	}
	out.Body.Letters, _, err = l.Select(ctx, f, in.Replay)
	return out, err
}

type orderIn struct{ Body Ordering }

type orderOut struct{ Body ingest.Order }

func (s *server) replayLetters(ctx context.Context, in *orderIn) (*orderOut, error) {
	return s.orderLetters(ctx, in.Body, true)
}

func (s *server) purgeLetters(ctx context.Context, in *orderIn) (*orderOut, error) {
	return s.orderLetters(ctx, in.Body, false)
}

// orderLetters records what is to become of dead letters. A replay is carried
// out by whoever loads, a purge is done with the record.
func (s *server) orderLetters(ctx context.Context, in Ordering, replay bool) (*orderOut, error) {
	l, err := s.lettersHere()
	if err != nil {
		return nil, err
	}
	f, err := in.filter(ctx, l)
	if err != nil {
		return nil, err
	}
	f.IDs, f.Sees = in.IDs, nil // whoever gets here is bound to nothing
	n, upTo, err := l.Select(ctx, f, replay)
	if err != nil {
		return nil, err
	}
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		if in.Seen != nil && *in.Seen != n { // asked here, since a repeat finds none of those that it ordered about
			return event.Event{}, 0, fmt.Errorf("%w: it would be about %d letters, and %d were seen; look at them again", event.ErrConflict, n, *in.Seen)
		}
		return s.Orders.Handle(ingest.OrderLetters{
			ID: event.New(), Replay: replay, Filter: f, All: in.All, UpTo: upTo, Letters: n, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment,
		})
	})
	if err != nil {
		return nil, err
	}
	all := s.Orders.All()
	i := slices.IndexFunc(all, func(o ingest.Order) bool { return o.Seq == seq })
	if i < 0 {
		return nil, errNoSuch // unreachable unless the log has another event there
	}
	return &orderOut{all[i]}, nil
}

type ordersIn struct{ Page }

type ordersOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Orders []ingest.Order `json:"orders" doc:"newest first"`
		Next   string         `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// listOrders shows those that may see everything what was ordered: an order's
// filter can be about any environment.
func (s *server) listOrders(ctx context.Context, in *ordersIn) (*ordersOut, error) {
	var all []ingest.Order
	if sees(ctx, access.AnyEnvironment, access.AnyKey) {
		all = slices.Clone(s.Orders.All())
		slices.Reverse(all)
	}
	out := &ordersOut{}
	page, next, err := cut(in.Page, newest("orders", func(o ingest.Order) uint64 { return o.Seq }), all)
	out.Body.Orders, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}
