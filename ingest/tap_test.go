package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// heard lists what a listener has heard, one event a line.
func heard(l *ingest.Listener) string {
	var lines []string
	for len(l.C) > 0 {
		h := <-l.C
		line := strings.TrimSpace(fmt.Sprintf("%s %s %s", h.Verdict, h.Kind, h.Name))
		for _, n := range h.Notes {
			line += " | " + n.String()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func listen(t *testing.T, in *ingest.Intake, f ingest.TapFilter) *ingest.Listener {
	t.Helper()
	f.Environment = "production"
	l, err := in.Listen(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func send(t *testing.T, in *ingest.Intake, body string) error {
	t.Helper()
	_, err := in.Accept(t.Context(), request("", body), noon)
	return err
}

// mixed is a request with an event of every verdict.
func mixed(t *testing.T) string {
	t.Helper()
	lost := exposure()
	lost.ID, lost.Revision, lost.Synthetic = ingesttest.ID(noon, 2), 3, false
	silent := exposure()
	silent.ID, silent.Enrolled, silent.Synthetic = ingesttest.ID(noon, 3), false, false
	metric := func(n int, name string) ingest.MetricEvent {
		return ingest.MetricEvent{Kind: ingest.KindMetric, ID: ingesttest.ID(noon, uint64(n)), Name: name, Units: map[string]string{"user": "u-1", "team": "t"}}
	}
	return marshal(t, []any{
		exposure(), lost, silent, metric(4, "purchase"), metric(5, "puchase"),
		ingest.Deployment{Kind: ingest.KindDeployment, ID: ingesttest.ID(noon, 6), Service: "shop", Version: "1"},
		ingest.Reading{Kind: ingest.KindReading, ID: ingesttest.ID(noon, 7), Name: "cpu", Value: 1},
		map[string]any{"kind": "metric", "id": ingesttest.ID(noon, 8), "name": "purchase", "units": map[string]string{"user": ""}, "email": "ana@example.com"},
		map[string]any{"kind": "purchase", "id": "ana"},
	})
}

// TestTap_verdicts: whoever listens hears of every event what became of it, why,
// and what to do.
func TestTap_verdicts(t *testing.T) {
	in, _ := intake(1)
	l := listen(t, in, ingest.TapFilter{})
	if err := send(t, in, mixed(t)); err != nil {
		t.Fatal(err)
	}
	want := `accepted exposure checkout | synthetic is shown and never analysed | counts for on of production/checkout/1, stage canary, epoch 2
accepted exposure checkout | revision "3" counts for no rollout: none gave on then; if one did, send the revision of the evaluation's metadata | claims another rollout, stage, epoch or enrolment than the flag's history has; send what the evaluation's metadata says
accepted exposure checkout | reason "SPLIT" counts for no rollout: its sender does not say that the unit is enrolled; if it is, send the evaluation's reason, or enrolled
accepted metric purchase
accepted deployment shop
accepted reading cpu
dead metric puchase | name "puchase" no metric declares the event puchase; declare a metric that uses it, then send the dead letter again
rejected | email is not a field of an event; remove it, or put it into attributes
rejected | id is not a UUID; make a UUID version 7 once and keep it on every retry`
	if got := heard(l); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestTap_keepsSecrets: what a listener hears holds no unit's ID, and nothing
// that a sender wrote where it does not belong.
func TestTap_keepsSecrets(t *testing.T) {
	in, _ := intake(1)
	l := listen(t, in, ingest.TapFilter{})
	if err := send(t, in, mixed(t)); err != nil {
		t.Fatal(err)
	}
	for len(l.C) > 0 {
		if h := <-l.C; strings.Contains(marshal(t, h), "u-1") || strings.Contains(marshal(t, h), "example.com") {
			t.Errorf("heard %s", marshal(t, h))
		}
	}
}

func TestTap_filters(t *testing.T) {
	for name, c := range map[string]struct {
		filter ingest.TapFilter
		want   int
	}{
		"all": {ingest.TapFilter{}, 9}, "verdict": {ingest.TapFilter{Verdict: ingest.Turned}, 2}, "kind": {ingest.TapFilter{Kind: ingest.KindExposure}, 3},
		"flag": {ingest.TapFilter{Name: "checkout"}, 3}, "unit": {ingest.TapFilter{Unit: ingest.Unit{Kind: "user", ID: "u-1"}}, 5},
		"another unit": {ingest.TapFilter{Unit: ingest.Unit{Kind: "user", ID: "u-2"}}, 0}, "unit of an undeclared event": {ingest.TapFilter{Unit: ingest.Unit{Kind: "team", ID: "t"}, Verdict: ingest.Buried}, 1},
	} {
		in, _ := intake(1)
		l := listen(t, in, c.filter)
		if err := send(t, in, mixed(t)); err != nil {
			t.Fatal(err)
		}
		if got := len(l.C); got != c.want {
			t.Errorf("%s: heard %d, want %d", name, got, c.want)
		}
	}
}

// TestTap_recent: who comes later can hear what was not simply taken, and not
// what was; other environments hear nothing.
func TestTap_recent(t *testing.T) {
	in, _ := intake(1)
	for _, body := range []string{mixed(t), "[7", "[7]"} {
		_ = send(t, in, body)
	}
	want := `dead metric puchase | name "puchase" no metric declares the event puchase; declare a metric that uses it, then send the dead letter again
rejected | email is not a field of an event; remove it, or put it into attributes
rejected | id is not a UUID; make a UUID version 7 once and keep it on every retry
refused | line 1, byte 3 has no ']' where one belongs; send whole JSON: an array of events, or one event a line
rejected | is not an object; send events such as {"kind": "exposure", …}`
	if got := heard(listen(t, in, ingest.TapFilter{Recent: true})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	elsewhere, err := in.Listen(ingest.TapFilter{Environment: "staging", Recent: true})
	if err != nil || len(elsewhere.C) != 0 {
		t.Errorf("staging hears %d, %v", len(elsewhere.C), err)
	}
}

// TestTap_barred: a request that was not taken is heard of once, without what
// it says; one whose sender is gone is not, nor is a check.
func TestTap_barred(t *testing.T) {
	in, _ := intake(1)
	l := listen(t, in, ingest.TapFilter{})
	body := func(r io.Reader) ingest.Request { return ingest.Request{Environment: "production", Body: r} }
	for _, c := range []struct {
		name, want string
		request    ingest.Request
	}{
		{"empty", "refused | body holds no event; send whole JSON: an array of events, or one event a line", body(strings.NewReader("[]"))},
		{"unknown encoding", "refused | the body is in a format that is not accepted; the sender was told more", request("br", "[]")},
		{"broken off", "refused | the request could not be read to its end", body(iotest.ErrReader(errors.New("10.1.2.3: connection reset")))},
		{"the sender is gone", "", body(iotest.ErrReader(context.Canceled))},
	} {
		if _, err := in.Accept(t.Context(), c.request, noon); err == nil {
			t.Errorf("%s: is taken", c.name)
		}
		if got := heard(l); got != c.want {
			t.Errorf("%s: heard %q, want %q", c.name, got, c.want)
		}
	}
	check := body(strings.NewReader(mixed(t)))
	check.Check = true
	if _, err := in.Accept(t.Context(), check, noon); err != nil || len(l.C) > 0 {
		t.Errorf("a check is heard: %v", err)
	}
}

// TestTap_slowListener: a listener that does not read misses events, is told how
// many, and holds up nobody; more listeners than there may be are turned away.
func TestTap_slowListener(t *testing.T) {
	in, _ := intake(1)
	l := listen(t, in, ingest.TapFilter{})
	many := make([]any, 1000)
	for i := range many {
		e := exposure()
		e.ID = ingesttest.ID(noon, uint64(i))
		many[i] = e
	}
	body := marshal(t, many)
	for range 5 {
		if err := send(t, in, body); err != nil {
			t.Fatal(err)
		}
	}
	if read, missed := len(l.C), l.Missed(); read+int(missed) != 5000 || missed == 0 || l.Missed() != 0 {
		t.Errorf("%d wait and %d are missed, of 5000", read, missed)
	}
	for range 31 {
		listen(t, in, ingest.TapFilter{})
	}
	if _, err := in.Listen(ingest.TapFilter{}); !errors.Is(err, ingest.ErrCrowded) {
		t.Errorf("got %v", err)
	}
	l.Close()
	l.Close()
	listen(t, in, ingest.TapFilter{})
}
