package dashboards

import (
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
)

// move is what a person can do about a rollout, as pages name it.
type move struct {
	op    decisions.Op
	name  string
	grave bool // it cannot simply be undone
	calm  bool // it stops something: it is done whatever else has happened since the page was made
}

var moves = [...]move{
	{decisions.OpExplain, "Explain", false, false},
	{decisions.OpStart, "Start", false, false},
	{decisions.OpSchedule, "Schedule", false, false},
	{decisions.OpUnschedule, "Take off the calendar", false, false},
	{decisions.OpResume, "Resume", false, false},
	{decisions.OpApprove, "Approve", false, true}, // two who approve at once are both meant: it is bound to the decision
	{decisions.OpConfirm, "Confirm", false, true},
	{decisions.OpOverride, "Override", true, false},
	{decisions.OpAdvance, "Go on", true, false},
	{decisions.OpShip, "Ship", true, false},
	{decisions.OpForward, "Roll forward", true, false},
	{decisions.OpHold, "Hold", false, true},
	{decisions.OpReduce, "Reduce", true, false},
	{decisions.OpDrill, "Drill", false, true},
	{decisions.OpReject, "Reject", true, false},
	{decisions.OpRollback, "Roll back", true, true},
}

func moveOf(op decisions.Op) (move, bool) {
	for _, m := range moves {
		if m.op == op {
			return m, true
		}
	}
	return move{}, false
}

// command writes the command that does the same as the page.
func command(id string, op decisions.Op) string {
	switch op {
	case decisions.OpSchedule:
		return "sluice rollout schedule " + id + " --at 2026-12-01T09:00:00Z"
	case decisions.OpUnschedule:
		return "sluice rollout schedule " + id + " --cancel"
	case decisions.OpStart, decisions.OpApprove:
		return "sluice rollout " + string(op) + " " + id
	case decisions.OpReduce:
		return "sluice reduce " + id + " --to 5% -m 'why'"
	case decisions.OpForward:
		return "sluice decide forward " + id + " -m 'why'"
	case decisions.OpDrill:
		return "sluice drill " + id
	}
	return "sluice rollout " + string(op) + " " + id + " -m 'why'"
}

// Button is one thing that a person can do now.
type Button struct {
	Name  string
	Link  string // of the page that tells what it does
	Main  bool   // it is what the rollout waits for
	Grave bool   // it cannot simply be undone
}

// buttons are what can be done about a rollout, in that order.
func buttons(r decisions.Rollout, can []decisions.Op, asked decisions.Wanted) []Button {
	var all []Button
	for _, op := range can {
		if m, ok := moveOf(op); ok {
			all = append(all, Button{Name: m.name, Link: link(r) + "/" + string(op), Main: awaited(asked, op), Grave: op == decisions.OpRollback})
		}
	}
	return all
}

// awaited reports whether an operation is what a rollout asks people for.
func awaited(asked decisions.Wanted, op decisions.Op) bool {
	switch asked {
	case decisions.WantsDecision:
		return op == decisions.OpAdvance || op == decisions.OpShip
	case "":
		return op == decisions.OpStart
	}
	return strings.EqualFold(string(asked), string(op))
}

// confirmLink is the page on which the owner of a condition confirms it.
func confirmLink(r decisions.Rollout, when decisions.CheckName, owner string) string {
	return link(r) + "/confirm?" + url.Values{"when": {string(when)}, "owner": {owner}}.Encode()
}
