// Package sdktest lets an application's tests decide what its flags answer, and
// look at what it recorded, without a server and without a network. The provider
// is the real one: it evaluates, deduplicates, queues and sends as in production,
// to a server that is a few maps in memory.
//
//	kit := sdktest.New(t)
//	kit.Compare("checkout.express", map[string]any{"on": true, "off": false})
//	shop := NewShop(kit.Client())
//	…
//	kit.WantExposure("checkout.express", "u-1")
//	kit.WantTracked("purchase", "u-1", 19.99)
//
// A kit has a client of its own, so that tests may run in parallel. What it is
// told holds from the moment that the call returns.
package sdktest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/sluice-hq/sluice/sdk"
)

// Environment is the one that documents speak of when they are applied: that of
// production, so that the files which production has can be used.
const Environment = "production"

// patience bounds every wait: it is for a test that went wrong.
const patience = time.Minute

// Kit is a provider with a server in memory. New makes one.
type Kit struct {
	Provider *sdk.Provider // for SetProvider, where Client is not used

	t      testing.TB
	server *server
	api    *openfeature.EvaluationAPI // nil before Client is called
}

// New returns a kit whose flags are those of the documents (see Apply). It ends
// with the test.
func New(t testing.TB, documents ...string) *Kit {
	t.Helper()
	k := &Kit{t: t, server: newServer()}
	var err error
	k.Provider, err = sdk.New(sdk.Config{
		URL: "http://sluice.test", Token: "sls_test", Environment: Environment,
		Client: &http.Client{Transport: k.server}, Report: -1, Queue: sdk.Queue{Flush: time.Millisecond},
	})
	if err != nil {
		t.Fatalf("making a provider: %v", err)
	}
	for _, d := range documents {
		k.Apply(d)
	}
	t.Cleanup(k.end)
	return k
}

func (k *Kit) end() {
	ctx, stop := k.patiently()
	defer stop()
	shut := k.Provider.ShutdownWithContext
	if k.api != nil {
		shut = k.api.Shutdown
	}
	if err := shut(ctx); err != nil && !k.server.isDown() {
		k.t.Errorf("shutting down: %v", err)
	}
}

// Client returns a client of OpenFeature that asks the kit alone.
func (k *Kit) Client() *openfeature.Client {
	k.t.Helper()
	if k.api == nil {
		k.api = isolated.NewAPI()
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		if err := k.api.SetProviderAndWait(ctx, k.Provider); err != nil {
			k.t.Fatalf("initialising: %v", err)
		}
	}
	return k.api.NewClient()
}

// Disconnect takes the server away: streams end, and nothing is answered.
// Evaluations go on with what is known; what they record is not received before
// Connect.
func (k *Kit) Disconnect() { k.server.setDown(true) }

// Connect brings the server back. The provider takes it up again as it would in
// production, which may take seconds.
func (k *Kit) Connect() { k.server.setDown(false) }

// Exposure is a unit that met an allocation's answer.
type Exposure struct {
	ID, Flag, Variant, Kind, Unit string
	Attributes                    map[string]string
}

// Tracked is an event that was tracked.
type Tracked struct {
	ID, Name   string
	Units      map[string]string
	Value      *float64 // nil: none was given
	Attributes map[string]string
}

// Exposures returns what was recorded so far, in order.
func (k *Kit) Exposures() []Exposure {
	k.t.Helper()
	var out []Exposure
	for _, f := range k.facts("exposure") {
		out = append(out, Exposure{ID: f.ID, Flag: f.Flag, Variant: f.Variant, Kind: f.Unit.Kind, Unit: f.Unit.ID, Attributes: f.Attributes})
	}
	return out
}

// Tracked returns what was tracked so far, in order.
func (k *Kit) Tracked() []Tracked {
	k.t.Helper()
	var out []Tracked
	for _, f := range k.facts("metric") {
		out = append(out, Tracked{ID: f.ID, Name: f.Name, Units: f.Units, Value: f.Value, Attributes: f.Attributes})
	}
	return out
}

// patiently bounds a wait for events to be sent: nobody waits while the kit is
// disconnected, when none can be.
func (k *Kit) patiently() (context.Context, context.CancelFunc) {
	if k.server.isDown() {
		ctx, stop := context.WithCancel(context.Background())
		stop()
		return ctx, stop
	}
	return context.WithTimeout(context.Background(), patience)
}

// facts waits until everything was sent.
func (k *Kit) facts(kind string) []fact {
	k.t.Helper()
	ctx, stop := k.patiently()
	defer stop()
	if err := k.Provider.Flush(ctx); err != nil && !k.server.isDown() {
		k.t.Fatalf("waiting for events: %v", err)
	}
	return k.server.received(kind)
}

// WantExposure fails the test unless the unit was exposed to the flag, to one of
// the variants when any are named.
func (k *Kit) WantExposure(flag, unit string, variants ...string) {
	k.t.Helper()
	all := k.Exposures()
	for _, e := range all {
		if e.Flag == flag && e.Unit == unit && (len(variants) == 0 || slices.Contains(variants, e.Variant)) {
			return
		}
	}
	k.t.Errorf("no exposure of %s to %s %q; there are %+v", unit, flag, variants, all)
}

// WantNoExposure fails the test if anybody was exposed to the flag.
func (k *Kit) WantNoExposure(flag string) {
	k.t.Helper()
	for _, e := range k.Exposures() {
		if e.Flag == flag {
			k.t.Errorf("%s was exposed to %s %s", e.Unit, flag, e.Variant)
		}
	}
}

// WantTracked fails the test unless the event was tracked for the unit, with the
// value when one is given.
func (k *Kit) WantTracked(name, unit string, value ...float64) {
	k.t.Helper()
	all := k.Tracked()
	for _, e := range all {
		if e.Name == name && slices.Contains(unitIDs(e), unit) && (len(value) == 0 || e.Value != nil && *e.Value == value[0]) {
			return
		}
	}
	k.t.Errorf("no %s %v of %s; there are %s", name, value, unit, describe(all))
}

func unitIDs(e Tracked) []string {
	var ids []string
	for _, id := range e.Units {
		ids = append(ids, id)
	}
	return ids
}

func describe(all []Tracked) []string {
	var out []string
	for _, e := range all {
		value := "without a value"
		if e.Value != nil {
			value = fmt.Sprint(*e.Value)
		}
		out = append(out, fmt.Sprintf("%s %s of %v", e.Name, value, e.Units))
	}
	return out
}
