package decisions

import (
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Verdict is what Evaluate makes of an Input.
type Verdict struct {
	Action  Action                `json:"action"`
	Stage   int                   `json:"stage"`             // index of the stage to be in: the present one, the next of Expand and Ship, or an earlier one that a decision goes back to
	Share   Percent               `json:"share,omitempty"`   // of the units that get the treatment, where it is less than the stage's own
	Reason  string                `json:"reason"`            // stable words, "guardrail day_7_retention breached"; a change of them is recorded
	Text    string                `json:"text"`              // the same as a sentence, with numbers
	Checks  []Check               `json:"checks"`            // the gate, in order
	Next    time.Time             `json:"next,omitzero"`     // when it looks next; zero: never by itself
	Streaks map[string]Streak     `json:"streaks,omitempty"` // breaches that a second look must confirm, by check
	Looks   map[string]stats.Look `json:"looks,omitempty"`   // of exclusion tests, taken by this verdict; always recorded
}

// Check is one item of the gate.
type Check struct {
	Name    CheckName          `json:"name"`
	Metric  string             `json:"metric,omitempty"` // the metric it is about
	Of      string             `json:"of,omitempty"`     // what else it is about: an external check, an owner, one value of an attribute
	State   CheckState         `json:"state"`
	Code    string             `json:"code,omitempty"`    // what was found, in stable words: "breached", "missing day_7_retention"
	Asks    Action             `json:"asks,omitempty"`    // what it asks for unless it passes; empty: Hold
	Text    string             `json:"text"`              // a sentence for a release owner
	Numbers map[string]float64 `json:"numbers,omitempty"` // by name: have, need, lift, low, high, margin, logE, …
	Next    time.Time          `json:"next,omitzero"`     // of one that is open: when it is asked again; zero: when a person acts, and in records of before
	Needs   []Need             `json:"needs,omitempty"`   // of an approval that not everybody may give
}

// CheckName names an item of the gate.
type CheckName string

// The items of the gate, in the order they are asked.
const (
	CheckStart     CheckName = "start"     // a person has started the plan
	CheckWindow    CheckName = "window"    // the minimum window has passed
	CheckFlag      CheckName = "flag"      // it answers, and takes the changes that decisions ask for
	CheckTelemetry CheckName = "telemetry" // facts are fresh and complete
	CheckSRM       CheckName = "sampleRatio"
	CheckTwoArms   CheckName = "twoArms"     // units that saw both arms
	CheckCount     CheckName = "unaccounted" // events acknowledged but neither counted nor dead
	CheckIncidents CheckName = "incidents"

	CheckRequires     CheckName = "requires"     // an external check has passed, and lately
	CheckRollbackWhen CheckName = "rollbackWhen" // the stage's own reasons, each an item
	CheckPauseWhen    CheckName = "pauseWhen"
	CheckAdvanceWhen  CheckName = "advanceWhen"

	CheckGuardrail CheckName = "guardrail" // against control, within the margin
	CheckLimit     CheckName = "limit"     // the level of the treated units
	CheckUnits     CheckName = "units"     // the minimum of units per arm
	CheckExclusion CheckName = "exclusion" // harm of the stage's own size is excluded
	CheckMargin    CheckName = "margin"    // harm beyond the margin is excluded; stages that decide
	CheckSuccess   CheckName = "success"
	CheckDeadline  CheckName = "deadline" // the longest window has not passed
	CheckFreeze    CheckName = "freeze"   // no freeze of a policy keeps the next stage from beginning
	CheckHours     CheckName = "hours"    // nor do the hours in which one may
	CheckApproval  CheckName = "approval"
)

// CheckState is how a check stands.
type CheckState string

// The states of a check.
const (
	Pass          CheckState = "pass"
	Wait          CheckState = "wait" // not yet; time or data will tell
	Fail          CheckState = "fail"
	NotApplicable CheckState = "n/a"
	Overruled     CheckState = "overruled" // it stands open, and a person has decided against it
)

// open reports whether the check stands in the way of the next stage.
func (c Check) open() bool { return c.State == Wait || c.State == Fail }

// key names the check among those of one gate.
func (c Check) key() string {
	key := string(c.Name)
	for _, about := range [...]string{c.Metric, c.Of} {
		if about != "" {
			key += " " + about
		}
	}
	return key
}

// reason is the check as stable words.
func (c Check) reason() string {
	if c.Code == "" {
		return c.key() + " " + string(c.State)
	}
	return c.key() + " " + c.Code
}

// Streak counts looks in a row, each with more information than the last, that
// found a metric breached. An automatic rollback takes two, so that one bad
// batch of data is not enough.
type Streak struct {
	Looks       int     `json:"looks"`
	Information float64 `json:"information"` // of the last of them
}
