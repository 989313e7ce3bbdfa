package decisions

import (
	"fmt"
	"slices"
	"strings"
)

// mostStages is how many stages a plan has at most, those of its ramps included.
const mostStages = 50

// expand writes out the stages: the template's, those of ramps, and the full one
// behind a stage that decides. It returns the path of each in the document.
func (p *Plan) expand(policy RolloutPolicy) (places []string) {
	var stages []Stage
	add := func(place string, more ...Stage) {
		for _, s := range more {
			stages, places = append(stages, s), append(places, place)
		}
	}
	for i, s := range p.templated(policy) {
		place := "template"
		if at := slices.IndexFunc(p.Stages, func(own Stage) bool { return own.Name == s.Name }); at >= 0 {
			place = fmt.Sprintf("stages[%d]", at)
		}
		if p.Template == "" || p.Template == TemplateGates { // two stages may have one name there, which is refused
			place = fmt.Sprintf("stages[%d]", i)
		}
		add(place, s.steps()...)
	}
	p.Stages = stages
	if n := len(stages); n > 0 && stages[n-1].Kind() == Decide {
		add("stages", Stage{Name: p.free("full"), Serve: treatmentRole})
		p.Stages = stages
	}
	p.Origin, p.Template = or(p.Template, p.Origin), ""
	return places
}

// steps returns the stages of a ramp, each named after its share, and of any
// other stage the stage itself. So it does of a ramp that goes nowhere: that is
// refused. People are asked once, where the ramp ends.
func (s Stage) steps() []Stage {
	if s.Ramp == nil || s.Ramp.fault() != "" {
		return []Stage{s}
	}
	shares := s.Ramp.shares()
	out := make([]Stage, len(shares))
	for i, share := range shares {
		step, last := s, i == len(shares)-1
		step.Ramp, step.Treatment = nil, share
		step.Name = s.Name + "-" + strings.TrimSuffix(share.String(), "%")
		step.MinWindow = max(s.MinWindow, s.Ramp.Every)
		if !last {
			step.Decide, step.Approve = false, 0
		}
		if s.Decide && !last {
			step.MaxWindow = 0
		}
		out[i] = step
	}
	return out
}

// shares returns the share of every step, from the first to the last.
func (r Steps) shares() []Percent {
	out := []Percent{}
	for share := r.From; share < r.To && len(out) < mostStages; share = r.next(share) {
		out = append(out, share)
	}
	return append(out, r.To)
}

// next is the share after one, which is larger by a thousandth of a percent at
// least.
func (r Steps) next(share Percent) Percent {
	if r.Plus > 0 {
		return share + r.Plus
	}
	return max(Percent(float64(share)*r.Times), share+1)
}

// fault says why a ramp has no steps, "" when it has.
func (r Steps) fault() string {
	switch {
	case r.From <= 0 || r.To <= 0:
		return "does not say from which share to which it goes"
	case r.From > r.To:
		return "goes down from " + r.From.String() + " to " + r.To.String()
	case (r.Times != 0) == (r.Plus != 0):
		return "does not say by how much it grows: by times, or by plus"
	case r.Plus == 0 && !(r.Times > 1):
		return "does not grow"
	case r.Every == 0:
		return "does not say how long each of its steps lasts"
	case len(r.shares()) > mostStages:
		return fmt.Sprintf("has more than %d steps", mostStages)
	}
	return ""
}
