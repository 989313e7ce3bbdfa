package tabular

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/manifest"
)

const orders = `apiVersion: sluice/v1
kind: Import
source: legacy.orders
id: order
at: {column: when}
events:
  - kind: metric
    name: purchase
    value: {column: amount}
    units: {user: {column: user}, workspace: {column: team}}
    attributes: {country: {column: country}, channel: web}
    when: [{column: status, in: [paid, sent]}]
  - kind: metric
    name: refund
    units: {user: {column: user}}
    when: [{column: status, in: [refunded]}, {column: user, notIn: [""]}]
`

func mapping(t testing.TB, text string) (m Mapping, err error) {
	t.Helper()
	docs, err := manifest.Split([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := docs[0].Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m, m.Validate()
}

// cells puts the values of a row into the mapping's order.
func cells(m Mapping, row map[string]string) []string {
	all := make([]string, len(m.columns()))
	for i, c := range m.columns() {
		all[i] = row[c]
	}
	return all
}

var order = map[string]string{
	"order": "4711", "when": "2026-03-01 10:00:00", "amount": "19.99", "user": "u-1", "team": "", "country": "DE", "status": "paid",
}

func with(row map[string]string, pairs ...string) map[string]string {
	more := map[string]string{}
	for k, v := range row {
		more[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		more[pairs[i]] = pairs[i+1]
	}
	return more
}

func TestEventsOf(t *testing.T) {
	m, err := mapping(t, orders)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		row  map[string]string
		want string
	}{
		"as it is":          {order, `[{"kind":"metric","id":"019ca8d7-2d00-7520-87c8-0e0d156a61d7","at":"2026-03-01T10:00:00Z","name":"purchase","value":19.99,"units":{"user":"u-1"},"attributes":{"channel":"web","country":"DE"}}]`},
		"another rule":      {with(order, "status", "refunded"), `[{"kind":"metric","id":"019ca8d7-2d00-775b-9ef6-02f6e1378db4","at":"2026-03-01T10:00:00Z","name":"refund","units":{"user":"u-1"}}]`},
		"no rule":           {with(order, "status", "open"), `[]`},
		"not in":            {with(order, "status", "refunded", "user", ""), `[]`},
		"no time":           {with(order, "when", ""), "column when is empty; every row needs a time"},
		"a strange time":    {with(order, "when", "yesterday"), `column when "yesterday" is not a time; say with layout how the file writes times`},
		"no id":             {with(order, "order", ""), "column order is empty; every row needs its id, or leave id out of the mapping"},
		"no unit":           {with(order, "user", ""), "column user is empty; an event without a unit cannot be counted; leave the row out with when"},
		"no number":         {with(order, "amount", "1,99"), `column amount "1,99" is not a number; write one such as 12.5, with a point and without marks between thousands`},
		"too large":         {with(order, "amount", "1e999"), `column amount "1e999" is not a number; write one such as 12.5, with a point and without marks between thousands`},
		"no UTF-8":          {with(order, "country", "\xff"), "column country is not UTF-8; convert the file to UTF-8"},
		"all that is amiss": {with(order, "user", "", "amount", "x"), "column amount \"x\" is not a number; write one such as 12.5, with a point and without marks between thousands\ncolumn user is empty; an event without a unit cannot be counted; leave the row out with when"},
		"much too large":    {with(order, "country", strings.Repeat("x", largest)), "row becomes an event of 262332 bytes; map less of it: attributes are for what results are broken down by"},
	} {
		events, faults := m.EventsOf(7, cells(m, c.row))
		got := "[" + join(events) + "]"
		if len(faults) > 0 {
			got = faults.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func join(events [][]byte) string {
	texts := make([]string, len(events))
	for i, e := range events {
		texts[i] = string(e)
	}
	return strings.Join(texts, ",")
}

// everything has a rule of every kind with every field.
const everything = `apiVersion: sluice/v1
kind: Import
source: all
at: {column: at, layout: unix}
events:
  - kind: exposure
    flag: checkout
    variant: {column: variant}
    revision: 4
    reason: SPLIT
    enrolled: {column: yes}
    units: {user: {column: user}}
    attributes: {country: DE}
    synthetic: true
  - {kind: metric, name: purchase, value: {column: yes}, units: {user: {column: user}}}
  - {kind: metric, name: purchase, value: {column: yes}, units: {user: {column: user}}}
  - {kind: deployment, service: shop, version: {column: version}, attributes: {by: ci}}
  - {kind: reading, name: cpu, value: -0.5, labels: {host: {column: version}}}
`

// taken is what a door that knows everything makes of events.
func taken(t *testing.T, events [][]byte) ingest.Taken {
	t.Helper()
	door := &ingest.Door{Flags: known{}, Metrics: known{}, Key: make([]byte, 32), Replay: true}
	got, err := door.Accept("production", []byte("["+join(events)+"]"), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

type known struct{}

func (known) Known(string, string) bool { return true }
func (known) Assigned(string, string, uint64, string) (ingest.Assignment, bool) {
	return ingest.Assignment{Rollout: "production/checkout/1", Stage: "canary", Epoch: 1, Arm: "on"}, true
}
func (known) UnitKind(string, string, uint64) string { return "user" }
func (known) Declared(string) bool                   { return true }

// TestEventsOf_everyKind: the door takes what every kind of rule makes, with
// all that it says, and each event of a row is another one.
func TestEventsOf_everyKind(t *testing.T) {
	m, err := mapping(t, everything)
	if err != nil {
		t.Fatal(err)
	}
	events, faults := m.EventsOf(1, cells(m, map[string]string{"at": "1767225600.25", "variant": "on", "yes": "true", "user": "u-1", "version": "1.2"}))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got := taken(t, events)
	if got.Count != 5 || len(got.Rejected) > 0 || len(got.Metrics) != 2 || got.Metrics[0].ID == got.Metrics[1].ID || got.Metrics[0].Value != 1_000_000 {
		t.Errorf("got %+v", got)
	}
	e, d, r := got.Exposures[0], got.Deployments[0], got.Readings[0]
	said := fmt.Sprint(e.Flag, e.Variant, e.Revision, e.Reason, e.Enrolled, e.UnitKind, e.Attributes, e.Synthetic, e.At.UnixMilli(), d.Service, d.Version, d.Attributes, r.Name, r.Value, r.Labels)
	if want := "checkouton4SPLITtrueusermap[country:DE] true 1767225600250shop1.2map[by:ci]cpu-500000 map[host:1.2]"; said != want {
		t.Errorf("got  %s\nwant %s", said, want)
	}
}

func ids(t *testing.T, m Mapping, number int64, row map[string]string) (all []string) {
	t.Helper()
	events, faults := m.EventsOf(number, cells(m, row))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, e := range events {
		var v struct{ ID string }
		if err := json.Unmarshal(e, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v.ID)
	}
	return all
}

// TestEventsOf_ids: what a repeat must not change is the ID, and what is another
// event has another.
func TestEventsOf_ids(t *testing.T) {
	byID, err := mapping(t, orders)
	if err != nil {
		t.Fatal(err)
	}
	first := ids(t, byID, 1, order)
	if again := ids(t, byID, 99, with(order, "amount", "5", "country", "")); !slices.Equal(first, again) {
		t.Error("a row with an id gets another ID when its place or content changes")
	}
	if slices.Equal(first, ids(t, byID, 1, with(order, "order", "4712"))) {
		t.Error("two ids give one ID")
	}
	byPlace, err := mapping(t, strings.Replace(orders, "id: order\n", "", 1))
	if err != nil {
		t.Fatal(err)
	}
	first = ids(t, byPlace, 1, order)
	if !slices.Equal(first, ids(t, byPlace, 1, order)) || slices.Equal(first, ids(t, byPlace, 2, order)) || slices.Equal(first, ids(t, byPlace, 1, with(order, "amount", "5"))) {
		t.Error("place and content do not tell rows without an id apart")
	}
	sent, err := mapping(t, strings.Split(orders, "  - kind: metric\n    name: refund")[0])
	if err != nil {
		t.Fatal(err)
	}
	const own = "019ca8e0-2000-7000-8000-000000000001"
	if got := ids(t, sent, 1, with(order, "order", own)); got[0] != own {
		t.Errorf("an event that has an ID gets %s", got[0])
	}
	if got := ids(t, byID, 1, with(order, "order", own)); got[0] == own {
		t.Error("several events of a row share an ID")
	}
}

func TestMapping_refuses(t *testing.T) {
	const head = "apiVersion: sluice/v1\nkind: Import\nsource: s\nat: {column: t}\nevents:\n"
	for text, want := range map[string]string{
		"apiVersion: sluice/v1\nkind: Import\n": "source is missing; name what the rows are of, such as legacy.orders; it becomes part of every event's id\nat.column is missing; name the column that holds the time\nevents has 0 rules; say which events a row becomes, with up to 100 rules",
		strings.Replace(head, "source: s", "source: s\ndelimiter: ab", 1) + "  - {kind: reading, name: a, value: 1}\n":      `delimiter "ab" is not one character; write one such as ";" or "\t"`,
		strings.Replace(head, "column: t", "column: t, zone: Moon/Base", 1) + "  - {kind: reading, name: a, value: 1}\n":    `at.zone "Moon/Base" is not a time zone; write one such as Europe/Berlin`,
		strings.Replace(head, "column: t", "column: t, layout: YYYY-MM-DD", 1) + "  - {kind: reading, name: a, value: 1}\n": `at.layout "YYYY-MM-DD" is not a way of writing a day and time; write unix, unixMillis, unixMicros, unixNanos, or how 2 January 2006, 15:04:05 would be written: 02.01.2006 15:04`,
		head + "  - {kind: sale}\n": `events[0].kind "sale" is not a kind of event; write exposure, metric, deployment or reading`,
		head + "  - {kind: exposure, flag: f, name: x, units: {user: u, team: t}, labels: {a: b}}\n": "events[0].name does not belong to the kind exposure; remove it\nevents[0].variant is missing; every exposure has one: write {column: …}, or what every row has\nevents[0].units names several kinds; an exposure has one unit: the one that the flag's rollout is for\nevents[0].labels does not belong to the kind exposure; write attributes",
		head + "  - {kind: metric, name: a, attributes: {b: {}}, when: [{column: c}]}\n":             "events[0].units is missing; write the kind of the unit and where its id stands: {user: {column: user_id}}\nevents[0].attributes.b has no value; write {column: …}, or what every row has\nevents[0].when[0] asks for nothing; write a column, and in or notIn with a list of values",
		head + "  - {kind: reading, name: a, value: 1, units: {user: u}, attributes: {a: b}}\n":      "events[0].units does not belong to the kind reading; remove it\nevents[0].attributes does not belong to the kind reading; write labels",
	} {
		_, err := mapping(t, text)
		got := "nothing"
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n-want +got\n%s", text, diff)
		}
	}
}

func TestMoment(t *testing.T) {
	for _, c := range []struct{ layout, zone, cell, want string }{
		{"", "", "2026-03-01T10:00:00.123456Z", "2026-03-01T10:00:00.123Z"}, {"", "", "2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00Z"},
		{"", "", "2026-03-01 10:00:00+02", "2026-03-01T08:00:00Z"}, {"", "", "2026-03-01 10:00:00.5 UTC", "2026-03-01T10:00:00.5Z"},
		{"", "Europe/Berlin", "2026-07-01 10:00:00", "2026-07-01T08:00:00Z"}, {"", "Europe/Berlin", "2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z"},
		{"", "", "2026-03-01", "2026-03-01T00:00:00Z"}, {"02.01.2006 15:04", "Europe/Berlin", "01.12.2025 00:30", "2025-11-30T23:30:00Z"},
		{"unix", "", "1767225600", "2026-01-01T00:00:00Z"}, {"unix", "", "1767225600.9999", "2026-01-01T00:00:00.999Z"},
		{"unixMillis", "", "1767225600001", "2026-01-01T00:00:00.001Z"}, {"unixMicros", "", "1767225600001999", "2026-01-01T00:00:00.001Z"},
		{"unixNanos", "", "1767225600001999999", "2026-01-01T00:00:00.001Z"},
		{"", "", "2026-03-01 10:00:00 CET", "is not a time"}, {"unix", "", "1e9", "is not a time"}, {"unix", "", "1/2", "is not a time"},
		{"unix", "", "1767225600000", "is a time in the year 57971; look at layout"}, {"unixMillis", "", "-5", "is a time in the year 1969"}, {"unix", "", "99999999999999999999", "is not a time"},
		{"", "", "", "is empty"},
	} {
		m := Moment{Column: "t", Layout: c.layout, Zone: c.zone}
		var faults event.Invalids
		m.validate("at", &faults)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		at, fault := m.read(c.cell)
		got := at.Format("2006-01-02T15:04:05.999999999Z07:00")
		if fault != nil {
			got = fault.Error()
		}
		if got != c.want && (fault == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}
