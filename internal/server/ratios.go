package server

import (
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// RatioView is the sample ratio of the units part by part: where a split that is
// wrong comes from.
type RatioView struct {
	By    string      `json:"by" doc:"the attribute; empty: days of first exposure, UTC"`
	Parts []RatioPart `json:"parts"`
}

// RatioPart is the ratio among the units of one day or one segment.
type RatioPart struct {
	Value     string    `json:"value" doc:"empty: the units without the attribute"`
	Rest      bool      `json:"rest,omitempty" doc:"the units of all values that have no segment of their own"`
	Control   int64     `json:"control" doc:"units"`
	Treatment int64     `json:"treatment"`
	Expected  float64   `json:"expected" doc:"share of the treatment that the stages promised these units"`
	Ratio     stats.SRM `json:"ratio"`
	StandsOut bool      `json:"standsOut" doc:"all parts of this view taken together (e-BH), at the error of the plan's sample ratio"`
}

// ratios fills in the sample ratio day by day and segment by segment.
func (v *ReadoutView) ratios(r decisions.Rollout, c Closer, found Close) {
	if len(found.Daily) > 0 {
		v.Ratios = append(v.Ratios, ratioView(r, "", found.Daily))
	}
	for i, parts := range found.Parts {
		v.Ratios = append(v.Ratios, ratioView(r, c.By[i], parts))
	}
}

// ratioView tests every part that stages compare units in. All of them are one
// family: of fifty segments one in fifty is lopsided by chance.
func ratioView(r decisions.Rollout, by string, parts []UnitsOf) RatioView {
	v := RatioView{By: by, Parts: []RatioPart{}}
	var logE []float64
	for _, p := range parts {
		ratio := r.SampleRatio(p.Units)
		if ratio == nil || ratio.Refused != nil {
			continue
		}
		part := RatioPart{Value: p.Value, Rest: p.Rest, Ratio: *ratio, Expected: r.Promised(p.Units)}
		for _, u := range p.Units {
			switch u.Arm {
			case r.Plan.Arms.Control:
				part.Control += u.N
			case r.Plan.Arms.Treatment:
				part.Treatment += u.N
			}
		}
		v.Parts, logE = append(v.Parts, part), append(logE, ratio.LogE)
	}
	alpha := r.Plan.Health.SRM.Alpha
	if alpha == 0 {
		alpha = stats.RatioAlpha
	}
	for i, stands := range stats.AdjustE(logE, alpha).Rejected {
		v.Parts[i].StandsOut = stands || v.Parts[i].Ratio.Leaked > 0
	}
	return v
}
