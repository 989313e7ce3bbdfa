package dashboards

import (
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// PlanText is the plan as it is carried out, and what became of it before.
type PlanText struct {
	YAML     string
	Version  int
	By       string
	At       time.Time
	Edit     string // address of the editor; empty: this person may not, or it is over
	Versions []Version
}

// Version is one version of a plan, since the rollout started.
type Version struct {
	Number  int
	By      string
	At      time.Time
	Comment string
	Means   string   // for the evidence
	Changes []string // in words
}

// newPlanText is the plan of a rollout, its newest versions first.
func newPlanText(s Seen, yaml string, may bool) *PlanText {
	r := s.Rollout
	out := &PlanText{YAML: yaml, Version: r.Version, By: r.PlannedBy, At: r.PlannedAt}
	if may && (r.Open() || r.Status == decisions.Planned) {
		out.Edit = "/plans/edit?rollout=" + r.ID
	}
	for _, v := range slices.Backward(r.Versions) {
		out.Versions = append(out.Versions, Version{Number: v.Version, By: v.By, At: v.At, Comment: v.Comment, Means: sentence(upper(v.Text())), Changes: v.Changes})
	}
	return out
}
