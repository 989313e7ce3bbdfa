package sdktest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/sdk"
	"github.com/sluice-hq/sluice/sdk/sdktest"
)

var onOff = map[string]any{"on": true, "off": false}

func who(id string, more ...any) openfeature.EvaluationContext {
	attributes := map[string]any{}
	for i := 0; i < len(more); i += 2 {
		attributes[more[i].(string)] = more[i+1]
	}
	return openfeature.NewEvaluationContext(id, attributes)
}

// What a kit is told holds at once, and changes hold at once, too.
func TestKit(t *testing.T) {
	t.Parallel()
	kit := sdktest.New(t)
	kit.Serve("colour", "blue")
	client, ctx := kit.Client(), context.Background()
	kit.Serve("limit", 2.5)
	kit.Serve("theme", map[string]any{"dark": true})
	for range 20 {
		kit.Serve("colour", "red")
		if got := client.String(ctx, "colour", "", who("u-1")); got != "red" {
			t.Fatalf("got %q", got)
		}
		kit.Serve("colour", "blue")
		if got := client.String(ctx, "colour", "", who("u-1")); got != "blue" {
			t.Fatalf("got %q", got)
		}
	}
	if a, b := client.Float(ctx, "limit", 0, who("u-1")), client.Object(ctx, "theme", nil, who("u-1")); a != 2.5 || !cmp.Equal(b, map[string]any{"dark": true}) {
		t.Errorf("got %v and %v", a, b)
	}
	kit.WantNoExposure("colour")
}

func TestExposures(t *testing.T) {
	t.Parallel()
	kit := sdktest.New(t)
	kit.Compare("checkout", onOff)
	kit.Enrol("search", map[string]any{"old": 1, "new": 2}, "new")
	client, ctx := kit.Client(), context.Background()
	variants := map[bool]int{}
	for i := range 200 {
		id := fmt.Sprint("u-", i%100) // each twice
		variants[client.Boolean(ctx, "checkout", false, who(id))]++
	}
	if client.Int(ctx, "search", 0, who("u-1")) != 2 {
		t.Error("the arm is not the one that was asked for")
	}
	kit.WantExposure("search", "u-1", "new")
	kit.WantExposure("checkout", "u-7")
	if got := len(kit.Exposures()); got != 101 || variants[true] < 60 || variants[false] < 60 {
		t.Errorf("%d exposures, %v", got, variants)
	}
	kit.Force("checkout")
	if d, err := client.BooleanValueDetails(ctx, "checkout", true, who("u-500")); err != nil || d.Value || d.FlagMetadata["forced"] != true {
		t.Errorf("rolled back: %+v, %v", d, err)
	}
	if got := len(kit.Exposures()); got != 101 {
		t.Errorf("%d exposures, and nobody was compared any more", got)
	}
}

func TestTracked(t *testing.T) {
	t.Parallel()
	kit := sdktest.New(t)
	client := kit.Client()
	client.Track(context.Background(), "purchase", who("u-1"), openfeature.NewTrackingEventDetails(19.99).Add("items", 3))
	kit.WantTracked("purchase", "u-1", 19.99)
	if got := kit.Tracked(); len(got) != 1 || got[0].Attributes["items"] != "3" {
		t.Errorf("got %+v", got)
	}
}

const documents = `apiVersion: sluice/v1
kind: Metric
key: purchases
event: purchase
---
apiVersion: sluice/v1
kind: Segment
key: staff
included: [u-1]
---
apiVersion: sluice/v1
kind: Flag
key: shop.checkout
purpose: operational
owner: shop-team
type: boolean
variants: {on: true, off: false}
default: off
safe: off
environments:
  production:
    enabled: true
    rules:
      - {name: staff, when: {op: segment, values: [staff]}, serve: on}
      - {name: germany, when: {attribute: country, op: in, values: [DE]}, serve: on}
`

func TestDocuments(t *testing.T) {
	t.Parallel()
	client, ctx := sdktest.New(t, documents).Client(), context.Background()
	for _, test := range []struct {
		who  openfeature.EvaluationContext
		want bool
	}{{who("u-1"), true}, {who("u-2"), false}, {who("u-2", "country", "DE"), true}} {
		if got := client.Boolean(ctx, "shop.checkout", !test.want, test.who); got != test.want {
			t.Errorf("%v gets %v", test.who, got)
		}
	}
}

// watched is a test that may fail.
type watched struct {
	testing.TB
	failed bool
}

func (w *watched) Helper()               {}
func (w *watched) Errorf(string, ...any) { w.failed = true }
func (w *watched) Cleanup(f func())      { w.TB.Cleanup(f) }

// Assertions can fail.
func TestAssertionsFail(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*sdktest.Kit){
		"no exposure":      func(k *sdktest.Kit) { k.WantExposure("checkout", "u-2") },
		"another variant":  func(k *sdktest.Kit) { k.WantExposure("checkout", "u-1", "off") },
		"an exposure":      func(k *sdktest.Kit) { k.WantNoExposure("checkout") },
		"not tracked":      func(k *sdktest.Kit) { k.WantTracked("purchase", "u-2") },
		"another value":    func(k *sdktest.Kit) { k.WantTracked("purchase", "u-1", 2) },
		"without a value":  func(k *sdktest.Kit) { k.WantTracked("click", "u-1", 0) },
		"of another event": func(k *sdktest.Kit) { k.WantTracked("purchases", "u-1") },
	} {
		w := &watched{TB: t}
		kit := sdktest.New(w)
		kit.Enrol("checkout", onOff, "on")
		client, ctx := kit.Client(), context.Background()
		client.Boolean(ctx, "checkout", false, who("u-1"))
		client.Track(ctx, "purchase", who("u-1"), openfeature.NewTrackingEventDetails(1))
		client.Track(ctx, "click", who("u-1"), openfeature.TrackingEventDetails{})
		kit.WantExposure("checkout", "u-1", "on")
		kit.WantTracked("purchase", "u-1", 1)
		if w.failed {
			t.Fatalf("%s: what is right fails", name)
		}
		if fail(kit); !w.failed {
			t.Errorf("%s passes", name)
		}
	}
}

// A test that asks while the kit is disconnected, or ends so, waits for nothing.
func TestEndsDisconnected(t *testing.T) {
	began := time.Now()
	t.Run("kit", func(t *testing.T) {
		kit := sdktest.New(t)
		kit.Enrol("checkout", onOff, "on")
		client := kit.Client()
		client.Boolean(context.Background(), "checkout", false, who("u-1"))
		kit.WantExposure("checkout", "u-1")
		kit.Disconnect()
		client.Boolean(context.Background(), "checkout", false, who("u-2"))
		if got := len(kit.Exposures()); got != 1 {
			t.Errorf("%d exposures are received without a server", got)
		}
	})
	if took := time.Since(began); took >= time.Minute { // which is how long one wait would be
		t.Errorf("it took %v", took)
	}
}

// Without the server evaluations go on, and what was recorded comes with it.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	kit := sdktest.New(t)
	kit.Enrol("checkout", onOff, "on")
	client, ctx := kit.Client(), context.Background()
	kit.Disconnect()
	for i := range 50 {
		if !client.Boolean(ctx, "checkout", false, who(fmt.Sprint("u-", i))) {
			t.Fatal("a fallback")
		}
	}
	if s := kit.Provider.Stats(); s.Exposures != 50 || s.State != sdk.Ready {
		t.Errorf("got %+v", s)
	}
	kit.Connect()
	flush, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	if err := kit.Provider.Flush(flush); err != nil {
		t.Fatal(err)
	}
	if got := len(kit.Exposures()); got != 50 {
		t.Errorf("%d exposures", got)
	}
}
