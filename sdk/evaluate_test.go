package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-feature/go-sdk/openfeature"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/sluice-hq/sluice/flags"
)

// holding returns a provider that answers from a ruleset and has no network.
func holding(t testing.TB, r flags.Ruleset, change func(*Config)) *Provider {
	t.Helper()
	c := config(offline)
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.held.Store(newSnapshot(FromBootstrap, r, nil))
	return p
}

// typed is a ruleset with a flag of each type, which everybody is given.
func typed() flags.Ruleset {
	r := flags.Ruleset{Environment: "production", Revision: 3}
	for key, value := range map[string]string{"bool": "true", "text": `"blue"`, "number": "2.5", "whole": "3", "object": `{"a":[1]}`, "archived": "true"} {
		var kind flags.Type
		for k, begins := range map[flags.Type]string{flags.Boolean: "t", flags.String: `"`, flags.Number: "23", flags.Object: "{"} {
			if strings.Contains(begins, value[:1]) {
				kind = k
			}
		}
		r.Flags = append(r.Flags, flags.Recorded{Revision: 3, Archived: key == "archived", Flag: flags.Flag{
			Key: key, Type: kind, Default: "v", Safe: "v", Variants: flags.Variants{"v": json.RawMessage(value)}, Metadata: map[string]any{"owner": "shop"},
			Environments: map[string]flags.Environment{"production": {Enabled: key != "bool"}},
		}})
	}
	return r
}

func TestTypes(t *testing.T) {
	p, ctx := holding(t, typed(), nil), context.Background()
	flat := openfeature.FlattenedContext{"targetingKey": "u-1"}
	got := []any{
		p.BooleanEvaluation(ctx, "bool", false, flat).Value, p.StringEvaluation(ctx, "text", "", flat).Value,
		p.FloatEvaluation(ctx, "number", 0, flat).Value, p.FloatEvaluation(ctx, "whole", 0, flat).Value, p.IntEvaluation(ctx, "whole", 0, flat).Value,
		p.ObjectEvaluation(ctx, "object", nil, flat).Value, p.ObjectEvaluation(ctx, "text", nil, flat).Value,
	}
	if diff := cmp.Diff([]any{true, "blue", 2.5, 3.0, int64(3), map[string]any{"a": []any{1.0}}, "blue"}, got); diff != "" {
		t.Error(diff)
	}
	for name, err := range map[string]error{
		"text as boolean": p.BooleanEvaluation(ctx, "text", false, flat).Error(), "number as integer": p.IntEvaluation(ctx, "number", 7, flat).Error(),
		"boolean as text": p.StringEvaluation(ctx, "bool", "", flat).Error(), "object as number": p.FloatEvaluation(ctx, "object", 0, flat).Error(),
	} {
		if err == nil || !strings.Contains(err.Error(), string(openfeature.TypeMismatchCode)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d := p.IntEvaluation(ctx, "number", 7, flat); d.Value != 7 || d.Reason != openfeature.ErrorReason {
		t.Errorf("a mismatch gives %+v", d)
	}
	if d := p.BooleanEvaluation(ctx, "nowhere", true, flat); !d.Value || !strings.Contains(d.Error().Error(), string(openfeature.FlagNotFoundCode)) {
		t.Errorf("an unknown flag gives %+v", d)
	}
}

// The metadata says what answers of OFREP say.
func TestMetadata(t *testing.T) {
	p, ctx := holding(t, typed(), nil), context.Background()
	flat := openfeature.FlattenedContext{"targetingKey": "u-1"}
	want := openfeature.FlagMetadata{"flagSetId": "production", "version": "3", "revision": int64(3), "unit": "user", "enrolled": false, "owner": "shop", "disabled": true}
	if diff := cmp.Diff(want, p.BooleanEvaluation(ctx, "bool", false, flat).FlagMetadata); diff != "" {
		t.Errorf("disabled (-want +got):\n%s", diff)
	}
	if m := p.BooleanEvaluation(ctx, "archived", false, flat).FlagMetadata; m["archived"] != true {
		t.Errorf("archived: %v", m)
	}
	r := comparing(7, 1)
	r.Flags[0].Unit = "workspace"
	r.Flags[0].Environments["production"].Allocation.Unit = "workspace"
	p = holding(t, r, nil)
	for _, id := range []string{"w-1", "w-2"} { // what one unit is told is not told to another
		d := p.BooleanEvaluation(ctx, "shop.flag-0000", false, openfeature.FlattenedContext{"targetingKey": "u-1", "workspace": id})
		want := openfeature.FlagMetadata{
			"flagSetId": "production", "version": "7", "revision": int64(7), "unit": "workspace", "enrolled": true,
			"rollout": "production/shop.flag-0000/1", "stage": "canary", "epoch": int64(1), "contextId": id,
		}
		if diff := cmp.Diff(want, d.FlagMetadata); diff != "" || d.Reason != openfeature.SplitReason {
			t.Errorf("%s %s (-want +got):\n%s", id, d.Reason, diff)
		}
	}
}

// The provider and the bare evaluator say the same for everybody.
func TestSameAsEvaluate(t *testing.T) {
	r := comparing(7, 20)
	p := holding(t, r, nil)
	set := flags.NewSet(r, nil)
	for i := range 500 {
		key, ring := fmt.Sprintf("shop.flag-%04d", i%20), []string{"beta", "public"}[i%2]
		d := p.BooleanEvaluation(context.Background(), key, false, openfeature.FlattenedContext{"targetingKey": fmt.Sprint("u-", i), "ring": ring})
		want := set.Evaluate(key, &flags.Context{TargetingKey: fmt.Sprint("u-", i), Attributes: map[string]any{"ring": ring}})
		if d.Variant != want.Variant || string(d.Reason) != string(want.Reason) || fmt.Sprint(d.Value) != string(want.Value) {
			t.Fatalf("unit %d: got %+v, want %+v", i, d, want)
		}
	}
}

// facts takes what waits in the queue.
func (p *Provider) facts(t *testing.T) (out []fact) {
	t.Helper()
	all := p.queue.next(1<<20, 1<<30)
	p.queue.settle(all, verdict{sent: len(all.events)}.count)
	for _, b := range all.events {
		var f fact
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// TestExposures: whoever an allocation answers is recorded once in a window, with
// all that the server looks up; whoever a rule answers is not.
func TestExposures(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	p := holding(t, comparing(7, 1), func(c *Config) {
		c.Now, c.Attributes = func() time.Time { return at }, []string{"country", "seats", "missing"}
	})
	ask := func(unit, ring string) string {
		return p.BooleanEvaluation(context.Background(), "shop.flag-0000", false, openfeature.FlattenedContext{
			"targetingKey": unit, "ring": ring, "country": "DE", "seats": 3, "email": "ann@example.com",
		}).Variant
	}
	first := ask("u-1", "public")
	for range 10 {
		ask("u-1", "public")
		ask("staff", "beta")
		ask("", "public")
		p.StringEvaluation(context.Background(), "shop.flag-0000", "", openfeature.FlattenedContext{"targetingKey": "u-9"}) // of the wrong type: the code's default is what it met
	}
	got := p.facts(t)
	if len(got) != 1 || p.Stats().Exposures != 1 {
		t.Fatalf("got %+v", got)
	}
	want := fact{
		Kind: "exposure", ID: got[0].ID, At: at, Flag: "shop.flag-0000", Variant: first, Unit: &unit{"user", "u-1"}, Revision: 7,
		Rollout: "production/shop.flag-0000/1", Stage: "canary", Epoch: 1, Enrolled: true, Reason: flags.Split, SDK: itself,
		Attributes: map[string]string{"country": "DE", "seats": "3"},
	}
	if diff := cmp.Diff(want, got[0]); diff != "" || got[0].ID.Version() != 7 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	at = at.Add(time.Hour)
	ask("u-1", "public")
	if again := p.facts(t); len(again) != 1 || again[0].ID == got[0].ID {
		t.Errorf("in the next window: %+v", again)
	}
}

// A context says the same of a unit when something is tracked as when a flag is
// asked, whatever types the application has for it.
func TestTrackNamesUnitsAsExposuresDo(t *testing.T) {
	type id string
	r := comparing(7, 1)
	r.Flags[0].Unit = "workspace"
	r.Flags[0].Environments["production"].Allocation.Unit = "workspace"
	p := holding(t, r, func(c *Config) { c.Attributes = []string{"plan", "since"} })
	attributes := map[string]any{"workspace": id("w-1"), "plan": id("pro"), "since": time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}
	flat := openfeature.FlattenedContext{"targetingKey": "u-1"}
	for name, v := range attributes {
		flat[name] = v
	}
	p.BooleanEvaluation(context.Background(), "shop.flag-0000", false, flat)
	p.Track(context.Background(), "purchase", openfeature.NewEvaluationContext("u-1", attributes), openfeature.NewTrackingEventDetails(1).Add("kind", id("gift")))
	got := p.facts(t)
	if len(got) != 2 || got[0].Unit == nil || got[0].Unit.ID != "w-1" || got[1].Units["workspace"] != "w-1" || got[1].Attributes["kind"] != "gift" {
		t.Fatalf("got %+v", got)
	}
	delete(got[1].Attributes, "kind")
	if diff := cmp.Diff(got[0].Attributes, got[1].Attributes); diff != "" {
		t.Errorf("-exposure +tracked:\n%s", diff)
	}
}

func TestTrack(t *testing.T) {
	r := comparing(7, 2)
	r.Flags[1].Unit = "workspace"
	var refused []Refusal
	p := holding(t, r, func(c *Config) {
		c.Attributes, c.Refused = []string{"country"}, func(r Refusal) { refused = append(refused, r) }
	})
	who := openfeature.NewEvaluationContext("u-1", map[string]any{"workspace": "w-1", "country": "DE", "team": "t-1"})
	ctx, nobody := context.Background(), openfeature.NewEvaluationContext("", nil)
	p.Track(ctx, "purchase", who, openfeature.NewTrackingEventDetails(19.99).Add("items", 3))
	p.Track(ctx, "free", who, openfeature.NewTrackingEventDetails(0))
	p.Track(ctx, "click", who, openfeature.TrackingEventDetails{})
	p.Track(ctx, "lost", nobody, openfeature.TrackingEventDetails{})
	nan := 0.0
	p.Track(ctx, "odd", who, openfeature.NewTrackingEventDetails(nan/nan))
	p.Track(ctx, "huge", who, openfeature.NewTrackingEventDetails(1).Add("text", strings.Repeat("x", 300<<10)))
	got := p.facts(t)
	if len(got) != 3 {
		t.Fatalf("got %+v", got)
	}
	units := map[string]string{"user": "u-1", "workspace": "w-1"}
	price, zero := 19.99, 0.0
	want := []fact{
		{Kind: "metric", Name: "purchase", Units: units, Value: &price, Attributes: map[string]string{"country": "DE", "items": "3"}},
		{Kind: "metric", Name: "free", Units: units, Value: &zero, Attributes: map[string]string{"country": "DE"}},
		{Kind: "metric", Name: "click", Units: units, Attributes: map[string]string{"country": "DE"}},
	}
	for i := range want {
		want[i].ID, want[i].At = got[i].ID, got[i].At
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var fields []string
	for _, r := range refused {
		fields = append(fields, r.Field)
	}
	if s := p.Stats(); !cmp.Equal([]string{"units", "value", "attributes"}, fields) || s.Refused != 3 || s.Tracked != 6 || s.Added != 6 {
		t.Errorf("refused %q, %+v", fields, s)
	}
}

// What flags have answered is counted, across changes of them, and so is what
// had no room.
func TestReport(t *testing.T) {
	r := comparing(7, 1)
	p := holding(t, r, func(c *Config) { c.Report, c.Queue.Events = time.Minute, 4 })
	for i := range 6 {
		p.asks("shop.flag-0000", fmt.Sprint("u-", i)) // six exposures, of which two go
	}
	if got := p.facts(t); len(got) != 4 {
		t.Fatalf("%d exposures wait", len(got))
	}
	s := p.held.Load()
	p.replace(s.next(s.ruleset.With(forced(r, 9, 0)), nil, false))
	p.asks("shop.flag-0000", "u-1")
	p.report()
	p.report()
	counted, dropped := map[string]float64{}, 0.0
	for _, f := range p.facts(t) {
		switch f.Name {
		case evaluationsReading:
			counted[f.Labels["reason"]] += *f.Value
		case droppedReading:
			dropped += *f.Value
		}
	}
	if diff := cmp.Diff(map[string]float64{"SPLIT": 6, "DISABLED": 1}, counted); diff != "" || dropped != 2 {
		t.Errorf("dropped %v; counted (-want +got):\n%s", dropped, diff)
	}
}

// span keeps what is written on it.
type span struct {
	noop.Span
	set    map[string]string
	events []string
}

func (s *span) IsRecording() bool { return true }

func (s *span) SetAttributes(list ...attribute.KeyValue) {
	s.set = map[string]string{}
	for _, kv := range list {
		s.set[string(kv.Key)] = kv.Value.AsString()
	}
}

func (s *span) AddEvent(name string, _ ...trace.EventOption) { s.events = append(s.events, name) }

func TestSpan(t *testing.T) {
	p := holding(t, comparing(7, 1), nil)
	s := &span{}
	ctx := trace.ContextWithSpan(context.Background(), s)
	d := p.BooleanEvaluation(ctx, "shop.flag-0000", false, openfeature.FlattenedContext{"targetingKey": "u-1"})
	want := map[string]string{
		"feature_flag.key": "shop.flag-0000", "feature_flag.provider.name": "sluice", "feature_flag.result.reason": "split", "feature_flag.result.variant": d.Variant,
		"feature_flag.set.id": "production", "feature_flag.version": "7", "feature_flag.context.id": "u-1",
	}
	if diff := cmp.Diff(want, s.set); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.BooleanEvaluation(ctx, "nowhere", false, nil)
	if s.set["error.type"] != "flag_not_found" || len(s.events) != 2 {
		t.Errorf("an unknown flag: %v, %q", s.set, s.events)
	}
	p.StringEvaluation(ctx, "shop.flag-0000", "", openfeature.FlattenedContext{"targetingKey": "u-1"})
	if s.set["error.type"] != "type_mismatch" || s.set["feature_flag.result.reason"] != "error" || s.set["feature_flag.result.variant"] != "" {
		t.Errorf("a value of another type: %v", s.set)
	}
	p.held.Store(nil)
	p.asks("shop.flag-0000", "u-1")
	p.BooleanEvaluation(ctx, "shop.flag-0000", false, nil)
	if s.set["error.type"] != "provider_not_ready" || len(s.events) != 4 {
		t.Errorf("before the first flags: %v, %q", s.set, s.events)
	}
}
