package decisions

import (
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Told is what an event of this room says to people who are not looking.
type Told struct {
	Types       []string // the event's own, and what it comes to: "decision.rollback", "cleanup.due"
	Environment string
	Flag        string
	Rollout     string   // ID; empty: it is of no rollout
	Decision    string   // ID of the decision that it is; empty: it is none
	Title       string   // one line
	Text        string   // why; may be empty
	Webhooks    []string // that the plan wants told of just this
}

// tellable are the fields that the data of all types have in common, as far as
// there are words in them. A type that a later version adds is told by those.
type tellable struct {
	Rollout   string   `json:"rollout"`
	Comment   string   `json:"comment"`
	Why       string   `json:"why"`
	Text      string   `json:"text"`
	Rationale string   `json:"rationale"`
	Incident  string   `json:"incident"`
	Severity  Severity `json:"severity"`
	To        string   `json:"to"`
}

// Words of types that are told by more than their type, or not at all.
const (
	ownWords = ""  // a decision, an incident, an escalation: what it says stands in its data
	silence  = "-" // it changes nothing for people: how the statistics were set up
)

// happened are all types of events of this room, and what each says behind the
// name of a release. It is the one place that a new type is written into for
// being told: what webhooks may ask for follows from it. A type that it does not
// have, as a later version records one, is told by its name.
var happened = map[string]string{
	TypePlanned:     " is planned",
	TypeStarted:     " is started",
	TypeFrozen:      silence,
	TypePaused:      " is held",
	TypeResumed:     " goes on",
	TypeExplained:   " was explained: the flag is unlocked",
	TypeApproved:    " was approved",
	TypeMade:        ownWords,
	TypeLapsed:      " did not do what was decided",
	TypeRevised:     " has a new version of its plan",
	TypeScheduled:   " is to start at a time",
	TypeUnscheduled: " does not start at its time",
	TypeDelayed:     " waits with its start, whose time has come",
	TypeEscalated:   ownWords,
	TypeOverridden:  " goes on against the recommendation",
	TypeRejected:    " was rejected",
	TypeReported:    " has heard from an external check",
	TypeConfirmed:   " has a condition confirmed",
	TypeProven:      " is rolled back everywhere: proven",
	TypeUnproven:    " is rolled back, and that is not proven",
	TypeDrillBegun:  " is drilled",
	TypeDrillEnded:  " was drilled",
	TypeOutcome:     " has its outcome recorded",
	TypeFollowedUp:  " was looked at again, after the release",
	TypeReminded:    " waits for its cleanup",
	TypeClosed:      " is cleaned up",
	TypeOpened:      ownWords,
	TypeResolved:    ownWords,
	TypeAnswered:    ownWords,
}

// ToldTypes returns the types of events of this room that are told, in order.
func ToldTypes() (types []string) {
	for _, kind := range sorted(happened) {
		if happened[kind] != silence {
			types = append(types, kind)
		}
	}
	return types
}

// Tell finds the words for an event of this room that the state has applied. It
// returns false when nothing has changed for people: a look that was recorded
// for its numbers alone repeats what the one before has said.
func (s *State) Tell(r event.Recorded) (Told, bool) {
	environment, flag, ok := apart(r.Subject)
	d, err := load[tellable](r)
	words, known := happened[r.Type]
	if !ok || err != nil || words == silence {
		return Told{}, false
	}
	t := Told{Types: []string{r.Type}, Environment: environment, Flag: flag, Rollout: d.Rollout, Text: d.words(r)}
	switch {
	case r.Type == TypeAnswered:
		return tellAnswer(r, t)
	case strings.HasPrefix(r.Type, IncidentPrefix):
		t.Title = ": " + d.incident(r)
	case r.Type == TypeMade:
		return s.tellDecision(r, t)
	case r.Type == TypeEscalated:
		t.Title = " waits for an answer: " + d.To + " is asked as well"
	case known:
		t.Title = words
	default:
		t.Title = ": " + strings.ReplaceAll(r.Type, ".", " ")
	}
	if rollout, ok := s.Rollout(d.Rollout); ok && strings.HasPrefix(r.Type, "rollback.") {
		t.Webhooks = rollout.Plan.Rollback.Webhooks()
	}
	t.Title = environment + "/" + flag + t.Title
	return t, true
}

// apart takes the subject of a rollout or an incident apart.
func apart(subject string) (environment, flag string, ok bool) {
	for _, prefix := range []string{SubjectPrefix, IncidentPrefix} {
		if key, of := strings.CutPrefix(subject, prefix); of {
			return strings.Cut(key, ".")
		}
	}
	return "", "", false
}

func (d tellable) words(r event.Recorded) string {
	for _, text := range []string{d.Rationale, d.Text, d.Why, d.Comment} {
		if text != "" {
			return text
		}
	}
	return "By " + r.Actor
}

func (d tellable) incident(r event.Recorded) string {
	if r.Type == TypeOpened {
		return fmt.Sprintf("%s incident %s", d.Severity, d.Incident)
	}
	return strings.TrimPrefix(r.Type, IncidentPrefix) + " incident " + d.Incident
}

// tellAnswer tells what was decided about an incident: nothing is decided about
// those that leave the flag as it is.
func tellAnswer(r event.Recorded, t Told) (Told, bool) {
	n, err := load[answered](r)
	t.Types, t.Text = append(t.Types, "decision."+string(n.Verdict.Action)), n.Verdict.Text
	t.Title = fmt.Sprintf("%s/%s gives everybody its safe variant: incident %s", t.Environment, t.Flag, n.Incident)
	return t, err == nil
}

// tellDecision tells a decision by what it does, unless the one before did the
// same for the same reason.
func (s *State) tellDecision(r event.Recorded, t Told) (Told, bool) {
	rollout, d, ok := s.Decision(r.ID.String())
	if !ok {
		return t, false
	}
	v := d.Verdict
	if i := rollout.decision(d.ID); i > 0 {
		before := rollout.Decisions[i-1].Verdict
		if before.Action == v.Action && before.Reason == v.Reason && before.Stage == v.Stage {
			return t, false
		}
	}
	t.Decision, t.Text = d.ID, v.Text
	if d.Rationale != "" {
		t.Text = d.By + ": " + d.Rationale
	}
	t.Types = append(t.Types, "decision."+string(v.Action))
	switch v.Action {
	case Cleanup:
		t.Types = append(t.Types, "cleanup.due")
	case Rollback:
		t.Webhooks = rollout.Plan.Rollback.Webhooks()
	}
	t.Title = fmt.Sprintf("%s/%s %s", t.Environment, t.Flag, v.does(rollout.Plan))
	if d.Rejects {
		t.Title = fmt.Sprintf("%s/%s was rejected, and is rolled back", t.Environment, t.Flag)
	}
	return t, true
}

// does says in a few words what a verdict does to a rollout.
func (v Verdict) does(p Plan) string {
	switch v.Action {
	case Hold:
		return "stays as it is"
	case Cleanup:
		return "is decided for good; its cleanup is due"
	case Expand:
		if v.Stage >= 0 && v.Stage < len(p.Stages) {
			return "goes to stage " + p.Stages[v.Stage].Name
		}
	case Ship:
		return "is shipped to everybody"
	case Review:
		return "needs a person to decide"
	case Pause:
		return "is paused until a person resumes it"
	case Rollback:
		return "is rolled back"
	}
	return string(v.Action)
}
