package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// What the catalog writes into the log.
const (
	MetricSubject = "metric."        // prefix of the subjects; the key follows
	MetricDefined = "metric.defined" // type of the events
)

// ErrUnchanged says that a metric is already defined as the command wants it.
var ErrUnchanged = errors.New("nothing would change")

// Define is the command that declares a metric or changes it.
type Define struct {
	ID      event.ID
	Metric  Metric
	Expect  event.Expect // revision that the author saw; event.Any: whatever is there
	At      time.Time
	Actor   string
	Cause   string
	Comment string
}

// Declaration is a metric as the catalog holds it.
type Declaration struct {
	Metric   Metric    `json:"metric"`
	Revision uint64    `json:"revision"` // sequence of the last event
	Changed  time.Time `json:"changed"`
	Actor    string    `json:"actor"`
}

// defined is the stored data of a metric.defined event.
type defined struct {
	Metric  Metric `json:"metric"`
	Comment string `json:"comment,omitempty"`
}

// Catalog is every declared metric: a fold over metric.<key>. The zero value
// is ready. One goroutine applies events; all other methods may be called from
// any, because they look at a whole that is replaced and never changed.
type Catalog struct {
	whole atomic.Pointer[catalog]
}

type catalog struct {
	metrics map[string]Declaration // by key
	events  map[string][]string    // event name -> keys of the metrics that use it, sorted
}

var (
	_ event.Restorer = (*Catalog)(nil)
	_ Declared       = (*Catalog)(nil)
)

// NewCatalog returns an empty catalog.
func NewCatalog() *Catalog { return &Catalog{} }

func (c *Catalog) now() *catalog {
	if w := c.whole.Load(); w != nil {
		return w
	}
	return &catalog{}
}

// Handle turns a command into its event and what the log must expect, or says
// why not: event.Invalids, ErrUnchanged or event.ErrConflict.
func (c *Catalog) Handle(d Define) (event.Event, event.Expect, error) {
	old, exists := c.now().metrics[d.Metric.Key]
	revision := event.Expect(old.Revision)
	if d.Expect != event.Any && d.Expect != revision {
		return event.Event{}, 0, fmt.Errorf("%w: metric %s is at revision %d, not %d", event.ErrConflict, d.Metric.Key, revision, d.Expect)
	}
	if err := d.Metric.Validate(); err != nil {
		return event.Event{}, 0, err
	}
	data, err := json.Marshal(defined{Metric: d.Metric, Comment: d.Comment})
	if err != nil {
		return event.Event{}, 0, fmt.Errorf("encoding metric %s: %w", d.Metric.Key, err)
	}
	if exists && old.Metric.same(d.Metric) {
		return event.Event{}, revision, fmt.Errorf("%w: metric %s at revision %d", ErrUnchanged, d.Metric.Key, revision)
	}
	return event.Event{
		ID: d.ID, Source: "sluice/ingest", Type: MetricDefined, Subject: MetricSubject + d.Metric.Key,
		Time: d.At, Actor: d.Actor, Cause: d.Cause, Data: data,
	}, revision, nil
}

// same compares what would be stored, where an empty list and none are one.
func (m Metric) same(other Metric) bool {
	a, errA := json.Marshal(m)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Apply implements event.Fold.
func (c *Catalog) Apply(r event.Recorded) error {
	if r.Type != MetricDefined {
		return nil
	}
	var d defined
	if err := json.Unmarshal(r.Data, &d); err != nil {
		return fmt.Errorf("reading a metric: %w", err)
	}
	if r.Subject != MetricSubject+d.Metric.Key {
		return fmt.Errorf("metric %s stands under %s", d.Metric.Key, r.Subject)
	}
	metrics := maps.Clone(c.now().metrics)
	if metrics == nil {
		metrics = map[string]Declaration{}
	}
	metrics[d.Metric.Key] = Declaration{Metric: d.Metric, Revision: r.Seq, Changed: r.Time, Actor: r.Actor}
	c.whole.Store(&catalog{metrics: metrics, events: byEvent(metrics)})
	return nil
}

func byEvent(metrics map[string]Declaration) map[string][]string {
	events := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(metrics)) {
		m := metrics[key].Metric
		events[m.EventName()] = append(events[m.EventName()], key)
		if m.Denominator != nil && m.Denominator.Event != m.EventName() {
			events[m.Denominator.Event] = append(events[m.Denominator.Event], key)
		}
		if m.SignOfLife != "" && m.SignOfLife != m.EventName() {
			events[m.SignOfLife] = append(events[m.SignOfLife], key)
		}
	}
	return events
}

// State implements event.Fold.
func (c *Catalog) State() any {
	list := []Declaration{}
	for _, key := range c.Keys() {
		list = append(list, c.now().metrics[key])
	}
	return list
}

// Snapshot implements event.Restorer.
func (c *Catalog) Snapshot() any { return c.State() }

// Restore implements event.Restorer.
func (c *Catalog) Restore(b json.RawMessage) error {
	var list []Declaration
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("reading the metrics: %w", err)
	}
	metrics := make(map[string]Declaration, len(list))
	for _, d := range list {
		metrics[d.Metric.Key] = d
	}
	c.whole.Store(&catalog{metrics: metrics, events: byEvent(metrics)})
	return nil
}

// Keys returns the keys of all metrics, sorted.
func (c *Catalog) Keys() []string { return slices.Sorted(maps.Keys(c.now().metrics)) }

// Declaration returns a metric as it was defined last.
func (c *Catalog) Declaration(key string) (Declaration, bool) {
	d, ok := c.now().metrics[key]
	return d, ok
}

// Metric returns what a metric means to the statistics.
func (c *Catalog) Metric(key string) (stats.Metric, bool) {
	d, ok := c.now().metrics[key]
	return d.Metric.Stats(), ok
}

// ByEvent returns the keys of the metrics that use events of a name, sorted.
func (c *Catalog) ByEvent(name string) []string { return slices.Clone(c.now().events[name]) }

// Declared implements Declared.
func (c *Catalog) Declared(name string) bool { return len(c.now().events[name]) > 0 }
