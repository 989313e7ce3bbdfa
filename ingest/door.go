package ingest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Assignment is what the control history says about whoever was served a
// variant by an allocation.
type Assignment struct {
	Rollout string // "<env>/<flag>/<n>"
	Stage   string
	Epoch   int32
	Arm     string // the variant, as an arm of the allocation
}

// Flags is what the door must know of the flags.
type Flags interface {
	// Known reports whether the environment has the flag.
	Known(environment, flag string) bool
	// UnitKind returns the kind of unit that the flag is about at a revision,
	// now for one that is not known, and "" when the environment has no such flag.
	UnitKind(environment, flag string, revision uint64) string
	// Assigned returns the allocation in force at a revision of the flag, if
	// the variant is one of its arms; false when there was none, or the flag
	// was forced or disabled.
	Assigned(environment, flag string, revision uint64, variant string) (Assignment, bool)
}

// Declared tells which events a metric declares; *Catalog does.
type Declared interface {
	Declared(name string) bool
}

// Past is what the door must know to take what other programs send, who name no
// revision, and have names of their own for variants.
type Past interface {
	// RevisionAt returns the revision from which on what an environment had in
	// force for a flag at a time was in force, 0 when there was nothing.
	RevisionAt(environment, flag string, at time.Time) uint64
	// Given returns the variant that the allocation in force at a revision gives
	// a unit, "" when it enrols it for none.
	Given(environment, flag string, revision uint64, unit string) string
	// Variant returns the first variant of the flag that has one of the names, or
	// else the first that has one of them for its value; false when none has.
	Variant(flag string, names []string) (string, bool)
	// UnitKinds returns the kinds of units that flags are about.
	UnitKinds() []string
}

// Door decides which facts come in. It is pure and safe for concurrent use if
// Flags, Metrics, Privacy and Windows are. All fields are required, but for those that
// say otherwise.
type Door struct {
	Flags   Flags
	Metrics Declared
	Privacy Privacy // nil: every attribute is kept
	Windows Windows // nil: the zero Window everywhere
	Past    Past    // nil: exposures of other programs count for no rollout
	Key     []byte  // of UnitHash

	// Replay is set for dead letters that are sent again and for imports: late
	// events are taken, and units that are hashes stay what they are.
	Replay bool

	// Public is set for tokens that anybody may hold, as they are in pages and
	// apps: a unit's own events are taken, and nothing that speaks of all.
	Public bool
}

// Taken is what the door made of a body.
type Taken struct {
	Batch
	Rejected []Rejection
	Ignored  int      // calls of other programs that tell of no event
	Revision uint64   // newest revision that an exposure names, taken or not; also with Refused
	Dropped  []string // names of attributes that the environment does not keep, the first ten, sorted
	Differs  int      // exposures whose sender claims another rollout, stage, epoch or enrolment than the history
}

// Accept reads the events in an inflated body, JSON array or one object a
// line. A fault of syntax is event.Invalids and too many events are
// ErrTooLarge; both keep nothing, as does Refused when no event is good.
func (d *Door) Accept(environment string, body []byte, now time.Time) (Taken, error) {
	v := d.visit(environment, now)
	v.in.b = body
	if v.in.peek() == '[' {
		v.in.array(v.next)
		v.end()
	} else {
		v.lines()
	}
	return v.result()
}

// visit is one body on its way through the door.
type visit struct {
	door        *Door
	environment string
	kept        Attributes
	window      Window
	now         time.Time
	hasher      *hasher
	in          reader
	w           wire
	out         Taken
	dropped     map[string]bool // names of attributes that are not kept
	tooMany     bool
	equal       map[event.ID]int // events without IDs that are equal to others of the body, so far
}

func (d *Door) visit(environment string, now time.Time) *visit {
	v := &visit{door: d, environment: environment, now: now.UTC().Truncate(time.Millisecond), hasher: newHasher(d.Key)}
	v.out.Received = v.now
	if d.Privacy != nil {
		v.kept = d.Privacy.Kept(environment)
	}
	if d.Windows != nil {
		v.window = d.Windows.Window(environment)
	}
	return v
}

func (v *visit) end() {
	if v.in.err == nil && (v.in.peek() != 0 || v.in.at < len(v.in.b)) {
		v.in.fail("follows the end of the events", closeFix)
	}
}

// lines reads NDJSON: one event a line, empty lines between them.
func (v *visit) lines() {
	for v.in.peek() != 0 && v.in.err == nil {
		v.next()
		line := v.in.at
		if v.in.peek() != 0 && !hasNewline(v.in.b[line:v.in.at]) {
			v.in.fail("follows an event on the same line", "start a new line for each event, or send an array")
		}
	}
	v.end()
}

func hasNewline(space []byte) bool {
	for _, c := range space {
		if c == '\n' {
			return true
		}
	}
	return false
}

func (v *visit) result() (Taken, error) {
	switch {
	case v.tooMany:
		return Taken{}, fmt.Errorf("%w: it holds more than %d events; send several requests", ErrTooLarge, maxEvents)
	case v.in.err != nil:
		return Taken{}, v.in.err
	case v.in.index == 0:
		return Taken{}, event.Invalids{{Path: "body", Why: "holds no event", Fix: closeFix}}
	case v.out.Count == 0:
		return Taken{Revision: v.out.Revision}, Refused(v.out.Rejected)
	}
	v.out.Dropped = slices.Sorted(maps.Keys(v.dropped))
	return v.out, nil
}

// next takes or rejects one event.
func (v *visit) next() {
	if v.in.index == maxEvents {
		v.tooMany = true
		v.in.fail("is one event too many", "send several requests")
		return
	}
	faults := v.in.event(&v.w)
	if v.in.err != nil {
		return
	}
	v.settle(faults)
}

// settle takes the event that was read, or says what is wrong with it.
func (v *visit) settle(faults []Rejection) {
	if len(faults) == 0 {
		faults = v.check()
	}
	if len(faults) == 0 {
		v.take()
	}
	v.out.Rejected = append(v.out.Rejected, faults...)
	v.in.index++
}

// take files a checked event.
func (v *visit) take() {
	w := &v.w
	v.dropped = v.kept.strip(w.attributes, v.dropped)
	row := Place{Idx: v.out.Count}
	switch w.kind {
	case KindExposure:
		v.exposure(row)
	case KindMetric:
		v.metric(row)
	case KindDeployment:
		v.out.Deployments = append(v.out.Deployments, DeploymentRow{
			Place: row, ID: w.id, Day: DayOf(w.id), Environment: v.environment, Service: w.service, Version: w.version,
			At: w.at, Received: v.now, Attributes: w.attributes, Synthetic: w.synthetic,
		})
	case KindReading:
		v.dropped = Attributes{Private: v.kept.Private}.strip(w.labels, v.dropped) // the list of those to keep is about units
		v.out.Readings = append(v.out.Readings, ReadingRow{
			Place: row, ID: w.id, Day: DayOf(w.id), Environment: v.environment, Name: w.name, Value: w.value,
			At: w.at, Received: v.now, Labels: w.labels, Synthetic: w.synthetic,
		})
	}
	v.time(w.at)
	v.out.Count++
}

func (v *visit) time(at time.Time) {
	if v.out.Count == 0 || at.Before(v.out.Oldest) {
		v.out.Oldest = at
	}
	if at.After(v.now) {
		at = v.now
	}
	v.out.Newest = later(v.out.Newest, at)
}
