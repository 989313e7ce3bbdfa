package decisions

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Status is where a rollout is in its life.
type Status string

// The statuses of a rollout.
const (
	Planned    Status = "planned"    // not started; its plan may still change
	Running    Status = "running"    //
	Paused     Status = "paused"     // exposure as it is, until a person resumes; still watched
	Observing  Status = "observing"  // the treatment serves all, a rollback is one step away
	RolledBack Status = "rolledBack" // the safe variant for everybody
	CleanupDue Status = "cleanupDue" // decided for good; the flag waits for its end state
	Rejected   Status = "rejected"   // a person ended it before anybody was exposed
)

// Standing is what a verdict needs to know of a rollout besides its plan. It
// is part of every recorded Input.
type Standing struct {
	ID           string                  `json:"id"`      // "<environment>/<flag>/<n>"
	Version      int                     `json:"version"` // of the plan, from 1
	Status       Status                  `json:"status"`
	Stage        int                     `json:"stage"`          // index into the plan's stages, −1 before the first
	Since        time.Time               `json:"since,omitzero"` // when the stage took effect
	Started      time.Time               `json:"started,omitzero"`
	StartedBy    string                  `json:"startedBy,omitempty"`
	Held         string                  `json:"held,omitempty"`         // why it is paused, in the words of whoever paused it
	Acknowledged []string                `json:"acknowledged,omitempty"` // reasons that a person resumed over; they hold, and pause no more
	Frozen       map[string]stats.Frozen `json:"frozen,omitempty"`       // baselines, by metric
	Caps         map[string]Cap          `json:"caps,omitempty"`         // of the first look that froze a baseline, by metric
	Streaks      map[string]Streak       `json:"streaks,omitempty"`      // of the last recorded verdict
	Looks        map[string][]stats.Look `json:"looks,omitempty"`        // taken by each exclusion test, by its key
	Approvals    []Approval              `json:"approvals,omitempty"`    // that count for the present request
	Refused      *Refused                `json:"refused,omitempty"`      // the last change that the flag did not take
	Share        Percent                 `json:"share,omitempty"`        // of the units, where a person reduced it below the stage's own
	Laps         int                     `json:"laps,omitempty"`         // how often it returned to an epoch that was over
	Reverted     []string                `json:"reverted,omitempty"`     // reasons that took it back; while it does not go further, they pause and take it back no more
	Fresh        time.Time               `json:"fresh,omitzero"`         // units that were exposed before do not count: a later version of the plan tests afresh
	Epochs       int                     `json:"epochs,omitempty"`       // that earlier versions of the plan have used up
	Turn         bool                    `json:"turn,omitempty"`         // the flag does not have the epoch of this version yet
	Reported     map[string]External     `json:"reported,omitempty"`     // newest of each external check, by its name
	Confirmed    map[string]Confirmation `json:"confirmed,omitempty"`    // manual conditions of the present stage, by the key of their check
	Values       map[string][]string     `json:"values,omitempty"`       // of the attribute that a guardrail is asked within, by metric: those that are asked, in the order in which they came
	Overruled    *Overrule               `json:"overruled,omitempty"`    // what a person decided against in the present stage, while its checks give those reasons
	Seq          uint64                  `json:"seq"`                    // of the last event of the rollout's subject
}

// Rollout is a plan that is being carried out, folded from its events. A
// Rollout that State hands out never changes.
type Rollout struct {
	Standing
	Number      int                     `json:"number"`            // of the flag's rollouts in this environment, from 1
	Plan        Plan                    `json:"plan"`              // with its defaults filled in
	Metrics     map[string]stats.Metric `json:"metrics,omitempty"` // definitions as they were when it was planned
	PlannedBy   string                  `json:"plannedBy"`
	PlannedAt   time.Time               `json:"plannedAt"`
	Locked      bool                    `json:"locked,omitempty"` // rolled back, and nobody has explained it yet
	Ended       time.Time               `json:"ended,omitzero"`   // when it was rolled back, or decided for good
	Explanation string                  `json:"explanation,omitempty"`
	WayBack     *WayBack                `json:"wayBack,omitempty"`   // as it was when it was started; nil: it was not, or before this was kept
	Return      *Return                 `json:"return,omitempty"`    // the last time that it went back
	Drills      []Drill                 `json:"drills,omitempty"`    // in order
	Doubts      []string                `json:"doubts,omitempty"`    // what spoke against the start, or could not be told
	Decisions   []Decision              `json:"decisions,omitempty"` // in order
	Versions    []VersionNote           `json:"versions,omitempty"`  // of the plan, since the rollout started
	Overrides   []Override              `json:"overrides,omitempty"` // in order
	Schedule    *Schedule               `json:"schedule,omitempty"`  // its start, while that waits or when it was refused
	Rejection   *Rejection              `json:"rejection,omitempty"` // before anybody was exposed; nil: nobody rejected it, or later
	Escalated   *Escalated              `json:"escalated,omitempty"` // who was asked last after the owner; nil: nobody
	HeldAt      time.Time               `json:"heldAt,omitzero"`     // since when it is paused
	Latest      *Touch                  `json:"latest,omitempty"`    // the last event of its own subject
	Learned
	Tidied
}

// Touch is who did the last thing to a rollout, for whoever was slower.
type Touch struct {
	Type string    `json:"type"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

// Approval is one person's leave to go to the next stage. It belongs to the
// recorded decision that asked for it, and with it to the evidence, the version
// of the plan and the revision of the flag. It is void when any of them changes;
// a newer decision that asks for the same for the same reason leaves it in force.
type Approval struct {
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Decision string    `json:"decision"` // ID of the decision that asked
	Comment  string    `json:"comment,omitempty"`
	Roles    []string  `json:"roles,omitempty"`    // that the person had then
	Version  int       `json:"version,omitempty"`  // of the plan that was approved; 0 in records of before
	Revision uint64    `json:"revision,omitempty"` // of the flag that the evidence was taken at; 0 in records of before
}

// Decision is one recorded verdict: the controller's, with the Input that it
// can be recomputed from, or a person's, with his rationale.
type Decision struct {
	ID        string     `json:"id"`
	Seq       uint64     `json:"seq"`
	At        time.Time  `json:"at"`
	By        string     `json:"by"` // "controller" or a principal
	Verdict   Verdict    `json:"verdict"`
	From      int        `json:"from"`                // stage before
	Input     event.Blob `json:"input,omitzero"`      // the whole Input; zero for a person's
	Seal      event.Mark `json:"seal,omitzero"`       // newest seal of the log when it was made
	Revision  uint64     `json:"revision"`            // of the flag that its effect expects; a rollback goes on at any
	Rationale string     `json:"rationale,omitempty"` // a person's
	Advice    string     `json:"advice,omitempty"`    // ID of the decision that a person decided over
	Against   string     `json:"against,omitempty"`   // what that one recommends, when the person decided otherwise: "hold: units open"
	Rejects   bool       `json:"rejects,omitempty"`   // a rollback that is a person's no to the change itself
	Effect    uint64     `json:"effect,omitempty"`    // sequence of its flag change, 0 while there is none
	Lapsed    string     `json:"lapsed,omitempty"`    // why it got no effect
}

// Refused is a change that a decision asked for and the flag did not take. It
// is not asked again while the flag stays as it is.
type Refused struct {
	Decision string `json:"decision"`
	Revision uint64 `json:"revision"` // of the flag that refused
	Why      string `json:"why"`
}

// Pending reports whether the decision still waits for its one effect.
func (d Decision) Pending() bool {
	return d.Verdict.Action.Actuating() && d.Effect == 0 && d.Lapsed == ""
}

// ByController reports whether the decision follows from a recorded Input.
func (d Decision) ByController() bool { return d.By == Controlling }

// Last returns the newest decision.
func (r Rollout) Last() (Decision, bool) {
	if len(r.Decisions) == 0 {
		return Decision{}, false
	}
	return r.Decisions[len(r.Decisions)-1], true
}

// Open reports whether the rollout still looks at evidence.
func (r Rollout) Open() bool {
	return r.Status == Running || r.Status == Paused || r.Status == Observing
}

// Now returns the present stage; ok is false before the first.
func (r Rollout) Now() (Stage, bool) {
	if r.Stage < 0 || r.Stage >= len(r.Plan.Stages) {
		return Stage{}, false
	}
	return r.Plan.Stages[r.Stage], true
}

// RolloutID names the n-th rollout of a flag in an environment.
func RolloutID(environment, flag string, n int) string {
	return fmt.Sprintf("%s/%s/%d", environment, flag, n)
}

// SplitID takes a rollout's ID apart.
func SplitID(id string) (environment, flag string, n int, err error) {
	parts := strings.Split(id, "/")
	if len(parts) == 3 {
		n, err = strconv.Atoi(parts[2])
	}
	if len(parts) != 3 || err != nil || n < 1 {
		return "", "", 0, event.Invalid{Path: "id", Value: id, Why: "is not a rollout", Fix: "write environment/flag/number"}
	}
	return parts[0], parts[1], n, nil
}

// Subject names the aggregate of a flag's rollouts in an environment.
func Subject(environment, flag string) string { return "rollout." + environment + "." + flag }
