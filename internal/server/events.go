package server

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// takeEvents answers POST /v1/events: 202 when every accepted event is on
// disk, with the events that were not accepted and why.
func (s *server) takeEvents(w http.ResponseWriter, r *http.Request) error {
	return s.intake(w, r, func(in *ingest.Request) { asCloudEvents(r.Header, in) })
}

// importEvents answers POST /api/v1/events/import as takeEvents does, for events
// that happened long ago. With check=true it says what would be taken: 200, and
// nothing is kept.
func (s *server) importEvents(w http.ResponseWriter, r *http.Request) error {
	check := r.URL.Query().Get("check")
	if check != "" && check != "true" && check != "false" {
		return event.Invalid{Path: "check", Value: check, Why: "is neither true nor false", Fix: "leave it out to import"}
	}
	return s.intake(w, r, func(in *ingest.Request) { in.Import, in.Check = true, check == "true" })
}

// request returns what the intake has to know of a request with events.
func (s *server) request(r *http.Request) (in ingest.Request, err error) {
	if s.Intake == nil {
		return in, errNoSuch
	}
	in.Environment = environment(r, who(r.Context()))
	in.Public = who(r.Context()).Class == access.ClientSDK
	if _, err := s.sets.at(in.Environment); err != nil {
		return in, err
	}
	in.Encoding, in.Type, in.Body = r.Header.Get("Content-Encoding"), r.Header.Get("Content-Type"), r.Body
	return in, nil
}

// intake hands the body of a request to the intake.
func (s *server) intake(w http.ResponseWriter, r *http.Request, as func(*ingest.Request)) error {
	in, err := s.request(r)
	if err != nil {
		return err
	}
	as(&in)
	receipt, err := s.Intake.Accept(r.Context(), in, s.Now())
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if in.Check {
		status = http.StatusOK
	}
	return writeJSON(w, status, receipt)
}

// comeBack asks a client to come back between 1 and 30 seconds from now, each at
// another time, so that they do not all come back at once.
func comeBack(h http.Header) {
	h.Set("Retry-After", strconv.Itoa(1+rand.IntN(30)))
}

// Door is what the door of the facts sees of the house: each look is at one
// sequence of the log.
type Door struct {
	Projection *event.Projection
	Folds
}

var (
	_ ingest.Flags    = Door{}
	_ ingest.Declared = Door{}
	_ ingest.Privacy  = Door{}
	_ ingest.Windows  = Door{}
	_ ingest.Past     = Door{}
)

// Known implements ingest.Flags.
func (d Door) Known(_, flag string) (known bool) {
	d.Projection.View(func(uint64) { _, known = d.Flags.Flag(flag) })
	return known
}

// UnitKind implements ingest.Flags.
func (d Door) UnitKind(environment, flag string, revision uint64) (kind string) {
	d.Projection.View(func(uint64) {
		allocation, found := d.Flags.AllocationAt(environment, flag, revision)
		if found {
			kind = allocation.Unit
			return
		}
		if f, ok := d.Flags.Flag(flag); ok {
			kind = cmp.Or(f.Unit, flags.DefaultUnit)
		}
	})
	return kind
}

// Assigned implements ingest.Flags.
func (d Door) Assigned(environment, flag string, revision uint64, variant string) (a ingest.Assignment, ok bool) {
	d.Projection.View(func(uint64) {
		allocation, found := d.Flags.AllocationAt(environment, flag, revision)
		for _, arm := range allocation.Arms {
			if found && arm.Variant == variant {
				a = ingest.Assignment{Rollout: allocation.Rollout, Stage: allocation.Stage, Epoch: int32(allocation.Epoch), Arm: variant}
				ok = true
			}
		}
	})
	return a, ok
}

// Kept implements ingest.Privacy.
func (d Door) Kept(environment string) (kept ingest.Attributes) {
	d.Projection.View(func(uint64) {
		e, _ := d.Flags.Environment(environment)
		kept = ingest.Attributes{Only: e.Events.Attributes, Private: e.Events.Private}
	})
	return kept
}

// Window implements ingest.Windows.
func (d Door) Window(environment string) (w ingest.Window) {
	d.Projection.View(func(uint64) {
		e, _ := d.Flags.Environment(environment)
		w = ingest.Window{Late: time.Duration(e.Events.LateWindow), Ahead: time.Duration(e.Events.FutureTolerance)}
	})
	return w
}

// Declared implements ingest.Declared.
func (d Door) Declared(name string) bool { return d.Metrics.Declared(name) }

// RevisionAt implements ingest.Past.
func (d Door) RevisionAt(environment, flag string, at time.Time) (revision uint64) {
	d.Projection.View(func(uint64) { revision = d.Flags.RevisionAt(environment, flag, at) })
	return revision
}

// Given implements ingest.Past.
func (d Door) Given(environment, flag string, revision uint64, unit string) (variant string) {
	d.Projection.View(func(uint64) {
		if a, ok := d.Flags.AllocationAt(environment, flag, revision); ok {
			variant = a.Given(unit)
		}
	})
	return variant
}

// Variant implements ingest.Past.
func (d Door) Variant(flag string, names []string) (variant string, ok bool) {
	d.Projection.View(func(uint64) {
		if f, known := d.Flags.Flag(flag); known {
			variant, ok = f.Variants.Named(names...)
		}
	})
	return variant, ok
}

// UnitKinds implements ingest.Past.
func (d Door) UnitKinds() (kinds []string) {
	d.Projection.View(func(uint64) { kinds = d.Flags.UnitKinds() })
	return kinds
}
