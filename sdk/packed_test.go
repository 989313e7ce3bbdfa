package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/flags"
)

// FuzzExtent: a JSON document is as long as it is, and nothing else breaks
// whoever looks for its end.
func FuzzExtent(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `null`, `-1.5e+3`, `"a\"]}b\\"`, `{"a":[{"b":"}"},[]],"c":1}`, `[1,{"x":null}`, `"open`, `{"a":`, `]`, ``, `[[[`, `tru`, `"\`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := extent(b)
		if err == nil && (n <= 0 || n > len(b)) {
			t.Fatalf("%q: %d bytes of %d", b, n, len(b))
		}
		if b = bytes.TrimSpace(b); json.Valid(b) {
			if n, err := extent(b); n != len(b) || err != nil {
				t.Errorf("%q: %d, %v", b, n, err)
			}
		}
		_, _ = pack(b) // which may find anything, and never ends otherwise than by returning
	})
}

// mixed is a ruleset with all that one can have: a rule of the environment, a
// segment, a flag that needs another, units of two kinds.
func mixed() flags.Ruleset {
	r := comparing(7, 6)
	for i := range r.Flags {
		r.Flags[i].Tags = []string{"shop"}
	}
	change := func(i int, change func(*flags.Environment)) {
		e := r.Flags[i].Environments["production"]
		change(&e)
		r.Flags[i].Environments["production"] = e
	}
	change(1, func(e *flags.Environment) {
		e.Prerequisites = []flags.Prerequisite{{Flag: "shop.flag-0002", Variant: "on"}}
	})
	change(2, func(e *flags.Environment) {
		e.Prerequisites = []flags.Prerequisite{{Flag: "shop.flag-0003", Variant: "on"}}
	})
	change(4, func(e *flags.Environment) {
		e.Rules = []flags.Rule{{Name: "fellows", When: &flags.Condition{Op: flags.InSegment, Values: []any{"fellows"}}, Serve: "on"}}
	})
	r.Flags[5].Unit = "workspace"
	r.Segments = []flags.RecordedSegment{{Segment: flags.Segment{Key: "fellows", Included: flags.UnitList{Units: []string{"u-3"}}}, Stamp: flags.Stamp{Revision: 6}}}
	r.Rules = []flags.InheritedRule{{Tags: []string{"shop"}, Name: "bots", When: &flags.Condition{Attribute: "agent", Op: flags.Eq, Value: "bot"}, Serve: "off"}}
	return r
}

// packing holds a ruleset as a start does, from JSON, before anybody unpacks it.
func packing(t testing.TB, r flags.Ruleset, change func(*Config)) *Provider {
	t.Helper()
	c := config(offline)
	c.Bootstrap = encoded(t, r)
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.recall()
	return p
}

// TestPack: what was packed is there again, however the text is laid out.
func TestPack(t *testing.T) {
	want := mixed()
	compact, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, compact, " ", "\t"); err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{compact, indented.Bytes(), []byte(strings.Replace(string(compact), `"shop.flag-0000"`, `"shop.flag\u002d0000"`, 1))} {
		p, err := pack(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.whole()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	for n := range compact {
		if _, err := pack(compact[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are taken for all", n, len(compact))
		}
	}
	if _, err := pack(append(compact, "{}"...)); err == nil {
		t.Error("what comes behind is not seen")
	}
}

// TestPackedAnswers: while flags are packed everybody is told what he is told
// afterwards, of whatever he asks first, and each evaluation is counted once.
func TestPackedAnswers(t *testing.T) {
	r := mixed()
	p := packing(t, r, func(c *Config) { c.Report = time.Minute })
	start, set := p.held.Load(), flags.NewSet(r, nil)
	if start.packed == nil || !cmp.Equal(start.units, []string{"user", "workspace"}) || p.Status().Flags != 6 {
		t.Fatalf("units %q, %+v", start.units, p.Status())
	}
	asked := 0
	compare := func() {
		for i := range 60 {
			key, attributes := fmt.Sprintf("shop.flag-%04d", i%6), map[string]any{"agent": []string{"bot", "person"}[i%4/3], "workspace": "w-1"}
			id := fmt.Sprint("u-", i)
			want := set.Evaluate(key, &flags.Context{TargetingKey: id, Attributes: attributes})
			attributes["targetingKey"] = id
			d := p.BooleanEvaluation(context.Background(), key, false, attributes)
			if asked++; d.Variant != want.Variant || string(d.Reason) != string(want.Reason) || d.FlagMetadata["revision"] != int64(7) {
				t.Errorf("%s of %s: got %+v, want %+v", key, id, d, want)
			}
		}
	}
	compare()
	if d := p.asks("nowhere", "u-1"); !strings.Contains(fmt.Sprint(d.Error()), string(openfeature.FlagNotFoundCode)) {
		t.Errorf("an unknown flag gives %+v", d)
	}
	p.unpack()
	compare()
	if v := p.Status(); p.held.Load().packed != nil || v.Source != FromBootstrap || v.Flags != 6 || v.Age < 0 {
		t.Errorf("unpacked: %+v", v)
	}
	p.report()
	counted := 0.0
	for _, f := range p.facts(t) {
		if f.Name == evaluationsReading {
			counted += *f.Value
		}
	}
	if counted != float64(asked) {
		t.Errorf("%v of %d evaluations are counted", counted, asked)
	}
}

// Many may be the first to ask, while somebody unpacks.
func TestPackedAtOnce(t *testing.T) {
	p := packing(t, comparing(7, 40), nil)
	want := p.asks("shop.flag-0000", "u-1").Variant
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				if d := p.asks(fmt.Sprintf("shop.flag-%04d", i%40), "u-1"); d.Error() != nil || i%40 == 0 && d.Variant != want {
					t.Errorf("got %+v", d)
				}
			}
		})
	}
	all.Go(p.unpack)
	all.Wait()
}

// A flag that was read once costs no more than any other.
func TestPackedAllocatesNothing(t *testing.T) {
	p, flat := packing(t, comparing(7, 2), nil), openfeature.FlattenedContext{"targetingKey": "u-1"}
	ask := func() { p.BooleanEvaluation(context.Background(), "shop.flag-0001", false, flat) }
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// One flag that cannot be read has no answer, which the log says; others have
// theirs.
func TestPackedDamage(t *testing.T) {
	j := &journal{}
	p := packing(t, comparing(7, 3), func(c *Config) {
		_, body, _ := bytes.Cut(c.Bootstrap, []byte("\n"))
		c.Bootstrap, c.Log = bytes.Replace(body, []byte(`"type":"boolean"`), []byte(`"type":["boole"]`), 1), j.logger()
	})
	for _, when := range []string{"packed", "unpacked"} {
		if d := p.asks("shop.flag-0000", "u-1"); d.Error() == nil || p.asks("shop.flag-0001", "u-1").Error() != nil {
			t.Errorf("%s: %+v", when, d)
		}
		p.unpack()
	}
	if !j.has("reading flag shop.flag-0000") {
		t.Errorf("the log says %q", j.lines.String())
	}
}
