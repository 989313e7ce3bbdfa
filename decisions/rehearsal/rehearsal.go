package rehearsal

import (
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// Rehearsal is a plan and what it is rehearsed on.
type Rehearsal struct {
	Plan     decisions.Plan          `json:"plan"`
	Flag     flags.Flag              `json:"flag"`            // that the plan releases; its rules, targets and prerequisites are left out
	Metrics  map[string]stats.Metric `json:"metrics"`         // definitions of those that the plan names, by key
	Truth    Truth                   `json:"truth"`           // what units are like; not asked where there is a recording
	Record   *Recorded               `json:"-"`               // units that were there; nil: they are drawn from Truth
	Policy   decisions.RolloutPolicy `json:"policy,omitzero"` // what policies ask of rollouts of the flag
	Settings Settings                `json:"settings"`
}

// known is what the plan is held against.
func (r Rehearsal) known() decisions.Known {
	return decisions.Known{
		Metric: func(key string) (stats.Metric, bool) { m, ok := r.Metrics[key]; return m, ok },
		Flag:   func(string) (flags.Recorded, bool) { return flags.Recorded{Flag: r.Flag}, true },
		Policy: func(string, *flags.Flag) decisions.RolloutPolicy { return r.Policy },
	}
}

// whole returns the rehearsal of the plan as it is recorded: with its defaults,
// and with what policies add.
func (r Rehearsal) whole() Rehearsal {
	r.Plan = r.Plan.FilledIn(r.known())
	return r
}

// Settings say how a rehearsal is carried out. Zero fields have defaults.
type Settings struct {
	Every    event.Duration `json:"every,omitempty" yaml:"every,omitempty"`       // between two looks of the controller; default 1h
	Patience event.Duration `json:"patience,omitempty" yaml:"patience,omitempty"` // after which a person ends what is paused or under review; default 24h
	Answer   event.Duration `json:"answer,omitempty" yaml:"answer,omitempty"`     // until people approve and confirm, and systems report, what is asked of them; default: at once
	Horizon  event.Duration `json:"horizon,omitempty" yaml:"horizon,omitempty"`   // after which a run ends wherever it is; default: what the plan's longest windows add up to, and 60 days
	Alone    bool           `json:"-" yaml:"-"`                                   // leave out the comparison with a fixed rule
}

// The defaults of the settings.
const (
	DefaultEvery    = event.Duration(time.Hour)
	DefaultPatience = event.Duration(24 * time.Hour)
	spare           = 60 * 24 * time.Hour // for what has no longest window
)

func (s Settings) every() time.Duration    { return time.Duration(or(s.Every, DefaultEvery)) }
func (s Settings) patience() time.Duration { return time.Duration(or(s.Patience, DefaultPatience)) }

// horizon returns how long a run lasts at most.
func (r Rehearsal) horizon() time.Duration {
	if r.Settings.Horizon > 0 {
		return time.Duration(r.Settings.Horizon)
	}
	total := spare
	for _, s := range r.whole().Plan.Stages {
		total += time.Duration(max(s.MinWindow, s.MaxWindow, s.Observe))
	}
	return total
}

// Looks returns how many looks a run takes at most.
func (r Rehearsal) Looks() int { return int(r.horizon()/r.Settings.every()) + 1 }

// begins is when every rehearsal starts: a Monday morning, so that two of them
// can be compared to the word.
var begins = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// Seeds are the seeds of some runs, one after the other.
type Seeds struct {
	From   uint64
	Count  int
	Spread func(n int, do func(i int)) // does all of n tasks, perhaps several at once; nil: one after the other
}

func (s Seeds) spread(do func(i int)) {
	if s.Spread != nil {
		s.Spread(s.Count, do)
		return
	}
	for i := range s.Count {
		do(i)
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
