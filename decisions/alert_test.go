package decisions

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// The fingerprint of labels is that of Prometheus. Source: prometheus/common,
// model/signature_test.go, TestMetricToFingerprint and the benchmarks below it.
func TestFingerprint(t *testing.T) {
	for _, c := range []struct {
		labels map[string]string
		want   uint64
	}{
		{map[string]string{}, 14695981039346656037},
		{map[string]string{"name": "garland, briggs", "fear": "love is not enough"}, 5799056148416392346},
		{map[string]string{"first-label": "first-label-value"}, 5146282821936882169},
		{map[string]string{"first-label": "first-label-value", "second-label": "second-label-value"}, 3195800080984914717},
		{map[string]string{"first-label": "first-label-value", "second-label": "second-label-value", "third-label": "third-label-value"}, 13843036195897128121},
	} {
		if got, want := Fingerprint(c.labels), strconv.FormatUint(c.want, 16); got != want {
			t.Errorf("%v: %s, want %s", c.labels, got, want)
		}
	}
}

func TestSeverityOf(t *testing.T) {
	for word, want := range map[string]Severity{
		"critical": Critical, " Critical ": Critical, "page": Critical, "P1": Critical, "sev1": Critical,
		"blocking": Blocking, "error": Blocking, "high": Blocking, "p2": Blocking,
		"minor": Minor, "warning": Minor, "info": Minor, "none": Minor, "P3": Minor,
	} {
		if got, known := SeverityOf(word); got != want || !known {
			t.Errorf("%q: %s, known %t, want %s", word, got, known, want)
		}
	}
	for _, word := range []string{"", "purple", "criticalish"} {
		if got, known := SeverityOf(word); got != Blocking || known {
			t.Errorf("%q: %s, known %t, want an unknown word to block", word, got, known)
		}
	}
}

// alarm is an alert of the tests.
func (h *house) alarm(change func(*AlertCommand)) AlertCommand {
	c := AlertCommand{
		Alert: Alert{
			Source: "alertmanager", Fingerprint: "c6eadffa33fcdf37", Began: h.now.Add(-time.Minute), Link: "http://prometheus.example.org/graph",
			Labels:      map[string]string{"alertname": "ErrorRate", "flag": "gate", "environment": "production", "severity": "critical", "segment": "eu"},
			Annotations: map[string]string{"summary": "5 %\n of requests  fail", "description": "more words"},
		},
		At: h.now, Actor: "service:alertmanager",
	}
	change(&c)
	return c
}

// told carries an alert out until nothing changes, and returns how many events
// it made and the last error.
func (h *house) told(c AlertCommand) (n int, err error) {
	h.t.Helper()
	for {
		k, err := h.state.FromAlert(c)
		if err != nil {
			return n, err
		}
		e, expect, err := h.state.HandleIncident(k)
		if err != nil {
			return n, err
		}
		h.write(e, expect, err)
		if n++; !c.Resolved {
			return n, nil
		}
	}
}

func TestAlert_opensAndResolves(t *testing.T) {
	h := newHouse(t)
	began := h.now.Add(-time.Minute)
	if n, err := h.told(h.alarm(func(*AlertCommand) {})); n != 1 || err != nil {
		t.Fatalf("%d events, %v", n, err)
	}
	want := Reported{
		Environment: "production", Flag: "gate", By: "service:alertmanager", Seq: h.proj.Seq(),
		Incident: Incident{
			ID: "c6eadffa33fcdf37-" + began.Format("20060102T150405.000Z"), Severity: Critical, Since: h.now, Text: "ErrorRate: 5 % of requests fail",
			Particulars: Particulars{Source: "alertmanager", Fingerprint: "c6eadffa33fcdf37", Began: began, Segment: "eu", Link: "http://prometheus.example.org/graph"},
		},
	}
	if diff := cmp.Diff([]Reported{want}, h.state.AllIncidents()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	h.now = h.now.Add(time.Hour)
	if n, err := h.told(h.alarm(func(c *AlertCommand) { c.Began = began })); n != 0 || !errors.Is(err, ErrIncidentKnown) {
		t.Errorf("a repeat: %d events, %v", n, err)
	}
	if n, err := h.told(h.alarm(func(c *AlertCommand) { c.Began, c.Resolved = began, true })); n != 1 || !errors.Is(err, ErrIncidentKnown) {
		t.Errorf("the end: %d events, %v", n, err)
	}
	want.Resolved, want.ResolvedBy, want.Comment = h.now, "service:alertmanager", "the alert is resolved"
	if diff := cmp.Diff([]Reported{want}, h.state.AllIncidents()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n, err := h.told(h.alarm(func(c *AlertCommand) { c.Began = began })); n != 0 || !errors.Is(err, ErrIncidentOver) {
		t.Errorf("a repeat that comes late: %d events, %v; it must not open it again", n, err)
	}
	if n, err := h.told(h.alarm(func(*AlertCommand) {})); n != 1 || err != nil || len(h.state.Incidents("production", "gate")) != 1 {
		t.Errorf("it fires anew: %d events, %v", n, err)
	}
}

// The end of an alert ends what is open of it from before: one end was lost.
func TestAlert_endsWhatWasLeftOpen(t *testing.T) {
	h := newHouse(t)
	began := h.now.Add(-time.Hour)
	for _, at := range []time.Time{began, began.Add(time.Minute), began.Add(time.Hour)} {
		if n, err := h.told(h.alarm(func(c *AlertCommand) { c.Began = at })); n != 1 || err != nil {
			t.Fatalf("%d events, %v", n, err)
		}
	}
	other := h.alarm(func(c *AlertCommand) { c.Fingerprint = "bc97ff14869b13e3" })
	if _, err := h.told(other); err != nil {
		t.Fatal(err)
	}
	n, err := h.told(h.alarm(func(c *AlertCommand) { c.Began, c.Resolved = began.Add(time.Minute), true }))
	if n != 2 || !errors.Is(err, ErrIncidentKnown) || len(h.state.Incidents("production", "gate")) != 2 {
		t.Errorf("%d events, %v; open: %+v", n, err, h.state.Incidents("production", "gate"))
	}
}

// Of an alert that does not say when it began there is one incident at a time.
func TestAlert_withoutABeginning(t *testing.T) {
	h := newHouse(t)
	open := func(want int, wanted error) {
		t.Helper()
		h.now = h.now.Add(time.Minute)
		if n, err := h.told(h.alarm(func(c *AlertCommand) { c.Began = time.Time{} })); n != want || !errors.Is(err, wanted) {
			t.Errorf("%d events, %v, want %d, %v", n, err, want, wanted)
		}
	}
	open(1, nil)
	open(0, ErrIncidentKnown)
	end := h.alarm(func(c *AlertCommand) { c.Began, c.Resolved = time.Time{}, true })
	if n, err := h.told(end); n != 1 || !errors.Is(err, ErrNoIncident) {
		t.Errorf("the end: %d events, %v", n, err)
	}
	open(1, nil)
}

func TestAlert_refuses(t *testing.T) {
	h := newHouse(t)
	label := func(name, value string) func(*AlertCommand) {
		return func(c *AlertCommand) { c.Labels[name] = value }
	}
	for want, change := range map[string]func(*AlertCommand){
		`labels.flag is missing; label the alert with the flag that it is about: flag, or flag_key`: label("flag", ""),
		`labels.environment is missing`:                                    label("environment", ""),
		`flag "gates" is not known`:                                        label("flag", "gates"),
		`environment "moon" is none that the flag gate has`:                label("environment", "moon"),
		`labels.flag_key "other" is another flag than flag gate`:           label("flag_key", "other"),
		`fingerprint "a b" has the character`:                              func(c *AlertCommand) { c.Fingerprint = "a b" },
		`flag "gates" is not known; write the key`:                         func(c *AlertCommand) { c.Labels["flag"], c.Resolved = "gates", true },
		`incident "` + strings.Repeat("f", 63) + `…" is longer than 128 c`: func(c *AlertCommand) { c.Fingerprint = strings.Repeat("f", 120) },
	} {
		n, err := h.told(h.alarm(change))
		var faults event.Invalids
		if n != 0 || !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%d events, %v, want %s", n, err, want)
		}
	}
	for name, change := range map[string]func(*AlertCommand){
		"flag_key alone":         func(c *AlertCommand) { c.Labels["flag_key"] = "gate"; delete(c.Labels, "flag") },
		"environment of the way": func(c *AlertCommand) { c.Environment = "production"; delete(c.Labels, "environment") },
	} {
		h.now = h.now.Add(time.Minute)
		if n, err := h.told(h.alarm(change)); n != 1 || err != nil {
			t.Errorf("%s: %d events, %v", name, n, err)
		}
	}
}

// What others write is one line, of a length that a gate can show.
func TestAlert_isShort(t *testing.T) {
	h := newHouse(t)
	c := h.alarm(func(c *AlertCommand) {
		c.Annotations = map[string]string{"description": strings.Repeat("long\r\n ", 1000)}
		c.Fingerprint = ""
	})
	if _, err := h.told(c); err != nil {
		t.Fatal(err)
	}
	got := h.state.AllIncidents()[0]
	if len([]rune(got.Text)) != 500 || strings.ContainsAny(got.Text, "\r\n") || got.Fingerprint != Fingerprint(c.Labels) {
		t.Errorf("text of %d characters, fingerprint %s: %.80q", len([]rune(got.Text)), got.Fingerprint, got.Text)
	}
}
