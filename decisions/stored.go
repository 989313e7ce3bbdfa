package decisions

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// The types of the events of a rollout, and of its decisions.
const (
	TypePlanned   = "rollout.planned"
	TypeStarted   = "rollout.started"
	TypeFrozen    = "rollout.frozen"
	TypePaused    = "rollout.paused"
	TypeResumed   = "rollout.resumed"
	TypeExplained = "rollout.explained"
	TypeApproved  = "approval.given"
	TypeMade      = "decision.made"
	TypeLapsed    = "decision.lapsed"

	TypeOutcome    = "outcome.recorded"
	TypeFollowedUp = "outcome.followedUp"
	TypeReminded   = "cleanup.reminded"
	TypeClosed     = "cleanup.closed"

	TypeProven     = "rollback.proven"
	TypeUnproven   = "rollback.unproven"
	TypeDrillBegun = "drill.begun"
	TypeDrillEnded = "drill.ended"
	TypeRevised    = "rollout.revised"
	TypeReported   = "check.reported"
	TypeConfirmed  = "condition.confirmed"

	TypeScheduled   = "rollout.scheduled"
	TypeUnscheduled = "rollout.unscheduled" // taken back by a person, or refused when its time had come
	TypeDelayed     = "rollout.delayed"     // its time has come, and it waits for what it lacks
	TypeEscalated   = "rollout.escalated"   // nobody has answered, and the next person is asked
	TypeOverridden  = "rollout.overridden"
	TypeRejected    = "rollout.rejected" // before anybody was exposed; later a rejection is a decision to roll back
)

// The data of each type, as the log keeps it. Shapes are append-only: fields
// are added, never renamed or reused; testdata/events.json holds recorded ones.
type (
	planned struct {
		Rollout string                  `json:"rollout"`
		Number  int                     `json:"number"`
		Version int                     `json:"version"`
		Plan    Plan                    `json:"plan"` // filled
		Metrics map[string]stats.Metric `json:"metrics,omitempty"`
		Comment string                  `json:"comment,omitempty"`
	}
	// noted is the data of events that only say something about a rollout:
	// started, paused, resumed, explained.
	noted struct {
		Rollout      string   `json:"rollout"`
		Comment      string   `json:"comment,omitempty"`
		Acknowledged []string `json:"acknowledged,omitempty"` // resumed: reasons that a person resumed over
		WayBack      *WayBack `json:"wayBack,omitempty"`      // started
		Doubts       []string `json:"doubts,omitempty"`       // started: what spoke against it, or could not be told
	}
	frozen struct {
		Rollout   string                  `json:"rollout"`
		Baselines map[string]stats.Frozen `json:"baselines"`
		Caps      map[string]Cap          `json:"caps,omitempty"`
		Values    map[string][]string     `json:"values,omitempty"` // of attributes that guardrails are asked within, from now on
	}
	approved struct {
		Rollout  string `json:"rollout"`
		Decision string `json:"decision"` // that asked
		Comment  string `json:"comment,omitempty"`

		Roles    []string `json:"roles,omitempty"`    // that the person had; none in records of before
		Version  int      `json:"version,omitempty"`  // of the plan; 0 in records of before
		Revision uint64   `json:"revision,omitempty"` // of the flag when the decision was made; 0 in records of before
	}
	made struct {
		Rollout   string     `json:"rollout"`
		From      int        `json:"from"`
		Verdict   Verdict    `json:"verdict"`
		Input     event.Blob `json:"input,omitzero"`
		Revision  uint64     `json:"revision"`
		Seal      event.Mark `json:"seal,omitzero"`
		Rationale string     `json:"rationale,omitempty"`
		Advice    string     `json:"advice,omitempty"`
		Against   string     `json:"against,omitempty"` // what the advice said, when a person decided otherwise
		Rejects   bool       `json:"rejects,omitempty"` // a rollback that is a person's no to the change itself

		// Of a person's decision, which has no document to tell them; empty in records of before.
		Before    string     `json:"before,omitempty"`    // name of the stage; empty also before the first
		After     string     `json:"after,omitempty"`     // as a record shows it
		Approvals []Approval `json:"approvals,omitempty"` // that were counted
	}
	lapsed struct {
		Rollout  string `json:"rollout"`
		Decision string `json:"decision"`
		Why      string `json:"why"`
		Refused  bool   `json:"refused,omitempty"` // the flag did not take the change; false: it had changed meanwhile
		Revision uint64 `json:"revision"`          // of the flag then
	}
	learnt struct {
		Rollout string  `json:"rollout"`
		Outcome Outcome `json:"outcome"`
	}
	followed struct {
		Rollout  string     `json:"rollout"`
		FollowUp FollowUp   `json:"followUp"`
		Evidence event.Blob `json:"evidence,omitzero"` // that it rests on, as JSON
	}
	reminded struct {
		Rollout  string         `json:"rollout"`
		Flag     string         `json:"flag"`
		N        int            `json:"n"` // 1 is the first
		Due      time.Time      `json:"due"`
		Overdue  event.Duration `json:"overdue"`
		EndState flags.EndState `json:"endState"`
		Text     string         `json:"text"`
	}
	closed struct {
		Rollout string   `json:"rollout"`
		Flag    string   `json:"flag"`
		How     CloseWay `json:"how"`
		Comment string   `json:"comment,omitempty"`
	}
	proved struct {
		Rollout  string  `json:"rollout"`
		Decision string  `json:"decision"` // that went back
		Proof    Proving `json:"proof"`
	}
	drillBegun struct {
		Rollout string `json:"rollout"`
		Flag    string `json:"flag"` // that is made for the drill
		Comment string `json:"comment,omitempty"`
	}
	drillEnded struct {
		Rollout string  `json:"rollout"`
		Drill   string  `json:"drill"` // ID of its drill.begun
		Result  Drilled `json:"result"`
	}
	// revised is a new version of a plan that is under way.
	revised struct {
		Rollout string                  `json:"rollout"`
		Version int                     `json:"version"`
		Plan    Plan                    `json:"plan"` // filled
		Metrics map[string]stats.Metric `json:"metrics,omitempty"`
		Changes []string                `json:"changes"`          // in words
		Afresh  bool                    `json:"afresh,omitempty"` // tests start again, on units first exposed from now on
		Epochs  int                     `json:"epochs,omitempty"` // that are used up; more than before: the flag gets a new one
		Comment string                  `json:"comment,omitempty"`
		WayBack *WayBack                `json:"wayBack,omitempty"` // of this version; nil in records of before: that of the start
	}
	reported struct {
		Rollout string     `json:"rollout"`
		Check   string     `json:"check"`
		State   CheckState `json:"state"` // pass or fail
		Expires time.Time  `json:"expires"`
		Text    string     `json:"text,omitempty"`
		Link    string     `json:"link,omitempty"`
	}
	confirmed struct {
		Rollout   string `json:"rollout"`
		Stage     string `json:"stage"`     // it is of no other
		Condition string `json:"condition"` // key of the check: "advanceWhen manual payments-team"
		Comment   string `json:"comment"`
	}
	scheduled struct {
		Rollout string    `json:"rollout"`
		At      time.Time `json:"at"`
		Comment string    `json:"comment,omitempty"`
		Doubts  []string  `json:"doubts,omitempty"` // what spoke against the start
		Anyway  bool      `json:"anyway,omitempty"` // a person has it start although something is lacking
	}
	delayed struct {
		Rollout  string   `json:"rollout"`
		Schedule string   `json:"schedule"` // ID of the event that scheduled it
		N        int      `json:"n"`        // which reason, from 1
		Why      string   `json:"why"`
		Lacks    []string `json:"lacks"` // paths in the plan
	}
	escalated struct {
		Rollout string    `json:"rollout"`
		To      string    `json:"to"` // person or team who is asked as well from now on
		What    Wanted    `json:"what"`
		Since   time.Time `json:"since"` // the rollout waits
		Why     string    `json:"why"`
	}
	unscheduled struct {
		Rollout  string `json:"rollout"`
		Schedule string `json:"schedule"` // ID of the event that scheduled it
		Why      string `json:"why,omitempty"`
	}
	overridden struct {
		Rollout  string          `json:"rollout"`
		Decision string          `json:"decision"` // that recommended otherwise
		Against  string          `json:"against"`  // what it recommended
		Checks   []OverruledItem `json:"checks"`   // of it, that were overruled
		Comment  string          `json:"comment"`
	}
	rejected struct {
		Rollout  string `json:"rollout"`
		Decision string `json:"decision,omitempty"` // that waited for people, if any did
		Comment  string `json:"comment"`
	}
)

// emit makes the event of a rollout.
func emit(id event.ID, kind, subject string, at time.Time, actor string, data any) (event.Event, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return event.Event{}, fmt.Errorf("encoding a %s: %w", kind, err)
	}
	return event.Event{ID: id, Source: Source, Type: kind, Subject: subject, Time: at, Actor: actor, Data: b}, nil
}

// load reads the data of an event of this room.
func load[T any](r event.Recorded) (T, error) {
	var v T
	if err := json.Unmarshal(r.Data, &v); err != nil {
		return v, fmt.Errorf("reading a %s event: %w", r.Type, err)
	}
	return v, nil
}
