package warehouse

import (
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Question asks for the sufficient statistics of one rollout as they were at
// a time. All fields but Gate, Since, Dark, Circuit and Caps are required; Treatments and Metrics
// name at least what the answer shall hold.
type Question struct {
	Environment string
	Flag        string
	Rollout     string         // "<env>/<flag>/<n>"
	UnitKind    string         // what the rollout assigns; events of units of other kinds do not count
	Control     string         // variant of the control arm
	Treatments  []string       // variants of the treatment arms
	Metrics     []stats.Metric // declared metrics
	Gate        bool           // use each metric's gate window, and only units that are that old at Until
	Since       time.Time      // units first exposed before it, in whatever epoch, do not count; zero: all do
	Dark        []string       // stages whose units count, in another epoch, although they were there before Since
	Circuit     Circuit        // of a rollout that came back to epochs that were over; zero: it did not
	Until       time.Time      // units first exposed after it do not count; to the millisecond

	// Watermark names, by shard, the last message that the loader has read
	// back. Events of later messages, and of other shards, do not count.
	Watermark map[string]uint64

	// Caps are the caps of some metrics, by key, as an earlier answer had them:
	// a test that looks often must not meet another cap at every look. The cap
	// of any other metric that has one is taken from the units at hand.
	Caps map[string]Caps
}

// Caps are what the value of a unit is cut to, from below and from above, in
// the parts that the values of the metric are counted in: whole numbers of a
// count, the fixed point of a sum or a ratio, a thousandth of it of a mean. Nil
// means that nothing is cut.
type Caps struct {
	Value       *big.Int `json:"value,omitempty"`
	Denominator *big.Int `json:"denominator,omitempty"` // of a ratio
}

// Answer is what the raw events of a rollout add up to. It does not depend on
// the order in which they came, nor on how often.
type Answer struct {
	Strata         map[string][]stats.Stratum // by metric: the first treatment against control, in the order of the strata
	Samples        []Sample                   // every arm of every stratum, also of further treatments
	Units          []Count                    // units by first exposure, the quarantined left out
	TwoArms        int64                      // units that saw two arms in one epoch: in no other number but the next
	Quarantined    []Count                    // the same by their first exposure, in order of epoch, stage and arm
	Strays         []Stray                    // exposures of units of other kinds: they are in no other number
	Exposures      int64                      // different exposures of enrolled units
	NewestExposure time.Time                  // zero when there is none
	NewestEvent    map[string]time.Time       // by metric: newest event of any unit of the rollout; absent when there is none
	Caps           map[string]Caps            // by metric: those that the values were cut to
	Queries        []Query                    // in the order they were asked
}

// Part is the answer of the units whose first exposure in an epoch had one
// value of an attribute.
type Part struct {
	Value string // empty: those without the attribute
	Rest  bool   // the units of all values that have no part of their own
	Answer
}

// Count is a number of units of one arm of one stratum.
type Count struct {
	Epoch int
	Stage string
	Arm   string
	N     int64
}

// Stray is how many exposures under a rollout are of units of a kind that it
// does not assign.
type Stray struct {
	Kind      string
	Exposures int64
}

// Sample is what one arm of one stratum gives for one metric.
type Sample struct {
	Metric string
	Epoch  int
	Stage  string
	Arm    string
	stats.Sample
}

// Readout answers a question from the raw events, with a read-only
// connection. A unit belongs to the stage of its first exposure in an epoch.
// Its events count from that exposure on, for as long as the metric's window.
// Synthetic events and units that saw two arms count nowhere.
func (w *Warehouse) Readout(ctx context.Context, q Question) (Answer, error) {
	a := newAnswer()
	r := &reading{Question: q, answers: map[uint64]*Answer{0: a}}
	if err := w.read(ctx, r); err != nil {
		return Answer{}, err
	}
	return *a, nil
}

func newAnswer() *Answer {
	return &Answer{Strata: map[string][]stats.Stratum{}, NewestEvent: map[string]time.Time{}, Caps: map[string]Caps{}}
}

// Place names a stratum.
type Place struct {
	Epoch int
	Stage string
}

// Places returns the strata of the answer, in order of epoch and of first
// exposure.
func (a Answer) Places() []Place {
	var out []Place
	for _, c := range a.Units {
		if p := (Place{c.Epoch, c.Stage}); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// Against pairs the samples of a treatment with those of control, stratum by
// stratum. An arm without units is an empty sample.
func (a Answer) Against(m stats.Metric, control, treatment string, places []Place) []stats.Stratum {
	out := make([]stats.Stratum, 0, len(places))
	for _, p := range places {
		s := stats.Stratum{Epoch: p.Epoch, Stage: p.Stage, Control: a.sample(m, p, control), Treatment: a.sample(m, p, treatment)}
		if s.Control.N > 0 || s.Treatment.N > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (a Answer) sample(m stats.Metric, p Place, arm string) stats.Sample {
	for _, s := range a.Samples {
		if s.Metric == m.Key && s.Epoch == p.Epoch && s.Stage == p.Stage && s.Arm == arm {
			return s.Sample
		}
	}
	return stats.Sample{Kind: m.Aggregate.Kind()}
}
