package dashboards

import "github.com/sluice-hq/sluice/decisions"

// acts lists what a person can do about a rollout as it stands.
func acts(s Seen) []Act {
	r := s.Rollout
	v, _ := s.verdict()
	var all []Act
	switch {
	case r.Locked:
		all = append(all, decide(r, "Explain", "explain", "The rollout is locked until a person says why it was rolled back."))
	case r.Status == decisions.Planned:
		all = append(all, Act{"Start", "The plan is checked, and frozen when it starts.", "sluice start " + r.ID})
	case r.Status == decisions.Paused:
		all = append(all, decide(r, "Resume", "resume", "It is paused until a person says to go on."))
	case r.Open() && v.Action == decisions.Review:
		all = append(all, decide(r, "Go on", "advance", "The evidence does not decide; going on takes a reason."))
	case r.Open() && approvable(v.Checks):
		all = append(all, Act{"Approve", "Every other check has passed.", approve(r)})
	}
	if r.Open() {
		all = append(all, Act{"Roll back", "Gives everybody the safe variant; needs no approval.", s.Rollback})
	}
	return all
}

// approve names the decision that the page shows: whoever copies the command
// agrees to that one, and to none that comes after it.
func approve(r decisions.Rollout) string {
	command := "sluice approve " + r.ID
	if d, ok := r.Last(); ok {
		command += " --decision " + d.ID
	}
	return command
}

func decide(r decisions.Rollout, title, op, text string) Act {
	return Act{title, text, "sluice decide " + op + " " + r.ID + " -m 'why'"}
}
