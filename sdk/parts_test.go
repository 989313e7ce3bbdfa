package sdk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

func TestConfigFaults(t *testing.T) {
	_, err := New(Config{URL: "sluice.example.com", Token: "slc_1", Window: -1, Wait: -1, Stale: -1, Queue: Queue{Events: -1, Bytes: -1, Flush: -1}})
	var faults event.Invalids
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	var paths []string
	for _, f := range faults {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"URL", "Token", "Window", "Wait", "Stale", "Queue.Flush", "Queue.Events", "Queue.Bytes"}, paths); diff != "" {
		t.Error(diff)
	}
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "URL is missing") || !strings.Contains(err.Error(), "Token is missing") {
		t.Errorf("nothing at all: %v", err)
	}
	if _, err := New(Config{URL: "https://sluice.example.com/?a=b", Token: "sls_1"}); err == nil {
		t.Error("an address with a query is taken, and would not be asked")
	}
	if strings.Contains(faults.Error(), "slc_1") {
		t.Error("the error tells the token")
	}
}

// Waits lie anywhere up to a bound that doubles, and never below what the server
// asked for.
func TestBackoff(t *testing.T) {
	var longest [8]time.Duration
	for range 300 {
		var b backoff
		for i := range longest {
			longest[i] = max(longest[i], b.next(0))
		}
	}
	for i, got := range longest {
		most := min(firstPause<<i, mostPause)
		if got > most || got < most*8/10 { // of 300 draws one is in the last fifth, but for one in 10^29
			t.Errorf("failure %d: the longest wait is %v, the bound %v", i+1, got, most)
		}
	}
	b := backoff{failures: 1000}
	if got := b.next(time.Minute); got < time.Minute || got > time.Minute+mostPause {
		t.Errorf("the server asked for a minute, and gets %v", got)
	}
}

func TestBudget(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	var b budget
	for i := range retriesAtOnce {
		if got := b.take(at); got != 0 {
			t.Fatalf("retry %d waits %v", i, got)
		}
	}
	if got := b.take(at); got != retryEvery {
		t.Errorf("one too many waits %v", got)
	}
	if got := b.take(at); got != 2*retryEvery {
		t.Errorf("the next waits %v", got)
	}
	if got := b.take(at.Add(-time.Hour)); got != 3*retryEvery {
		t.Errorf("with a clock that was set back it waits %v", got)
	}
	for range 1000 {
		if got := b.take(at); got > mostPause {
			t.Fatalf("after many more it waits %v", got)
		}
	}
	if got := b.take(at.Add(time.Hour)); got != 0 {
		t.Errorf("an hour later it waits %v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "soon": 0, "99999999": time.Hour,
		"Sun, 01 Nov 2026 09:00:05 GMT": 5 * time.Second, "Sun, 01 Nov 2026 08:00:00 GMT": 0,
	} {
		if got := retryAfter(text, at); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestMessages(t *testing.T) {
	long := strings.Repeat("x", 40<<10) // more than the buffer
	text := "retry: 1500\n\n: a comment\n\nevent: hello\ndata: {}\n\nid: 7\r\nevent: put\r\ndata: one\r\ndata:two\r\n\r\nunknown: field\ndata: " + long + "\n\ndata: not ended\n"
	lines := 0
	m := newMessages(strings.NewReader(text), func() { lines++ })
	var got []message
	for {
		e, err := m.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		got = append(got, e)
	}
	want := []message{{kind: "hello", data: []byte("{}")}, {id: "7", kind: "put", data: []byte("one\ntwo")}, {data: []byte(long)}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(message{})); diff != "" {
		t.Error(diff)
	}
	if m.retry != 1500*time.Millisecond || lines < 14 {
		t.Errorf("retry is %v, %d lines were heard", m.retry, lines)
	}
}

func TestLastKnown(t *testing.T) {
	whole := encoded(t, comparing(7, 3))
	k, err := decodeLastKnown(whole)
	if err != nil || k.revision() != 7 || len(k.rules.flags) != 3 || k.Confirmed.IsZero() {
		t.Fatalf("got %+v, %v", k, err)
	}
	first, body, _ := bytes.Cut(whole, []byte("\n"))
	if k, err = decodeLastKnown(body); err != nil || k.revision() != 7 || !k.Confirmed.IsZero() {
		t.Errorf("the data of a put: %+v, %v", k, err)
	}
	changed := bytes.Replace(whole, []byte(`"canary"`), []byte(`"canarx"`), 1)
	newer := bytes.Replace(whole, []byte(`"sluiceLastKnown":1`), []byte(`"sluiceLastKnown":2`), 1)
	for name, b := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)/2], "head alone": first, "changed": changed, "newer": newer, "zeros": make([]byte, 100), "another document": []byte("{}"),
	} {
		if _, err := decodeLastKnown(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Whoever reads while a file is written finds the old one or the new one, and
// what a crash has left does not matter.
func TestWriteWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), lastKnownFile)
	for _, text := range []string{"one", "two"} {
		if err := writeWhole(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != text || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%v are left", entries)
	}
	if err := writeWhole(filepath.Join(path, "no folder"), nil); err == nil {
		t.Error("a folder that is none is no fault")
	}
}

func TestContext(t *testing.T) {
	type plan string
	inner := map[string]any{"seats": 3, "paid": true}
	flat := openfeature.FlattenedContext{
		"targetingKey": "u-1", "a": 1, "b": int64(2), "c": uint8(3), "d": float32(1.5), "e": "x", "f": nil, "g": plan("pro"),
		"at": time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), "tags": []string{"x"}, "team": inner, "list": []any{1, "y"}, "func": func() {},
	}
	got := contextOf(flat, time.Time{})
	want := flags.Context{TargetingKey: "u-1", Attributes: map[string]any{
		"targetingKey": "u-1", "a": 1.0, "b": 2.0, "c": 3.0, "d": 1.5, "e": "x", "f": nil, "g": "pro",
		"at": "2026-11-01T09:00:00Z", "tags": []any{"x"}, "team": map[string]any{"seats": 3.0, "paid": true}, "list": []any{1.0, "y"}, "func": nil,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if inner["seats"] != 3 || flat["a"] != 1 {
		t.Error("what the application holds was changed")
	}
}

func TestText(t *testing.T) {
	for want, v := range map[string]any{"x": "x", "true": true, "3": 3.0, "0.5": 0.5, "1e+300": 1e300, "7": 7, `{"a":1}`: map[string]int{"a": 1}} {
		if got := text(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}

// A unit is recorded once for each flag, variant, epoch and window, and memory
// stays bounded whoever comes.
func TestSeen(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	s := newSeen(0)
	r := flags.Result{Key: "a", Variant: "on", Rollout: "production/a/1", Epoch: 1, Unit: "user", UnitID: "u-1"}
	other := func(change func(*flags.Result)) *flags.Result {
		o := r
		change(&o)
		return &o
	}
	for i, step := range []struct {
		r    *flags.Result
		at   time.Time
		want bool
	}{
		{&r, at, true},
		{&r, at.Add(59 * time.Minute), false},
		{other(func(r *flags.Result) { r.Variant = "off" }), at, true},
		{other(func(r *flags.Result) { r.Epoch = 2 }), at, true},
		{other(func(r *flags.Result) { r.UnitID = "u-2" }), at, true},
		{other(func(r *flags.Result) { r.Key = "b" }), at, true},
		{other(func(r *flags.Result) { r.Stage = "half" }), at, false},
		{&r, at.Add(time.Hour), true},
		{&r, at.Add(time.Hour), false},
	} {
		if got := s.first(step.r, step.at, time.Hour); got != step.want {
			t.Errorf("step %d: got %v", i, got)
		}
	}
	for i := range 2 * seenParts * seenRoom {
		r.UnitID = fmt.Sprint("u-", i)
		s.first(&r, at.Add(2*time.Hour), time.Hour)
	}
	held := 0
	for i := range s.parts {
		held += len(s.parts[i].young) + len(s.parts[i].old)
	}
	if held > 2*seenParts*seenRoom || s.first(&r, at.Add(2*time.Hour), time.Hour) {
		t.Errorf("%d are held, or the last was forgotten", held)
	}
}

func TestSilentByDefault(t *testing.T) {
	if (&Config{}).log().Enabled(t.Context(), slog.LevelError) {
		t.Error("without a logger something is logged")
	}
}
