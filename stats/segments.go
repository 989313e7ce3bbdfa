package stats

import "slices"

// Segment is the data of the units that have one value of an attribute.
type Segment struct {
	Value  string
	Rest   bool // the units of all values that have no segment of their own
	Strata []Stratum
}

// Split is a metric in every segment of one attribute.
type Split struct {
	Metric   string
	Segments []Segment
}

// Segmented is a metric segment by segment: where the effect stands out, and
// whether it differs between the segments at all. It is exploratory: nothing of
// it decides.
type Segmented struct {
	Metric      string          `json:"metric"`
	Segments    []SegmentEffect `json:"segments"`
	Interaction Interaction     `json:"interaction"`
	Doubt
}

// SegmentEffect is the effect among the units of one segment.
type SegmentEffect struct {
	Value      string     `json:"value"` // empty: the units without the attribute
	Rest       bool       `json:"rest,omitempty"`
	Comparison Comparison `json:"comparison"` // of these units alone, as if nothing else had been asked
	P          float64    `json:"p"`          // adjusted for all segments of all metrics that were asked for together
	Interval   Interval   `json:"interval"`   // adjusted likewise
	StandsOut  bool       `json:"standsOut"`  // P is at most alpha, and Interval leaves zero out
}

const (
	methodSegments    = "each segment by itself; all together by "
	assumeExploratory = "exploratory: segments are looked at to find questions, not to answer them"
	warnInteraction   = "a segment stands out, but it is not shown that the effect differs between segments"
)

// Breakdown compares treatment with control in every segment of every metric.
// All of them are one family: an answer at one look is adjusted by Benjamini &
// Yekutieli, because metrics of the same units depend on each other in any way,
// one that holds at every look by e-BH. The tests of interaction are another.
// A segment that cannot be compared says why, and counts: which ones can be is
// up to the data, and a family that the data choose bounds nothing.
func Breakdown(metrics []Split, o Options) []Segmented {
	o = o.defaults()
	tables := make([]Segmented, len(metrics))
	var all []member
	for i, m := range metrics {
		var asked []member
		tables[i], asked = segmented(m, o)
		tables[i].Interaction = interaction(groups(asked, o))
		all = append(all, asked...)
	}
	a := adjustMembers(all, o)
	for j, m := range all {
		m.decide(a, j, o)
	}
	adjustInteractions(tables, o)
	for i := range tables {
		tables[i].doubt(a)
	}
	return tables
}

// member is a segment that was asked for.
type member struct {
	*SegmentEffect
	strata []Stratum
}

func (m member) refused() bool { return m.Comparison.Refused != nil }

// segmented compares a metric segment by segment.
func segmented(s Split, o Options) (Segmented, []member) {
	t := Segmented{Metric: s.Metric, Segments: make([]SegmentEffect, len(s.Segments))}
	asked := make([]member, len(s.Segments))
	for i, g := range s.Segments {
		t.Segments[i] = SegmentEffect{Value: g.Value, Rest: g.Rest, Comparison: Compare(g.Strata, o), P: 1, Interval: Open()}
		asked[i] = member{&t.Segments[i], g.Strata}
	}
	return t, asked
}

// groups are the effects of the segments that have one. Their processes look
// both ways, because the common effect may lie on either side of each.
func groups(members []member, o Options) []groupEffect {
	o.Side = TwoSided
	var out []groupEffect
	for _, m := range members {
		if c := m.Comparison; !m.refused() {
			out = append(out, groupEffect{at: c.Estimate, se: c.SE, p: o.process(1/(c.SE*c.SE), float64(c.Control.N+c.Treatment.N))})
		}
	}
	return out
}

// adjustMembers adjusts the answers of the segments, a refused one being no
// evidence. Where all are, there is nothing to adjust.
func adjustMembers(members []member, o Options) Adjusted {
	p, logE := make([]float64, len(members)), make([]float64, len(members))
	if !slices.ContainsFunc(members, func(m member) bool { return !m.refused() }) {
		p, logE = nil, nil
	}
	for i := range p {
		_, p[i] = members[i].Comparison.Answer()
		logE[i] = members[i].Comparison.LogE
	}
	return adjustEither(p, logE, o)
}

// adjustEither adjusts e-values where each answer holds at every look, else
// p-values.
func adjustEither(p, logE []float64, o Options) Adjusted {
	if o.Inference.everyLook() {
		return AdjustE(logE, o.Alpha)
	}
	return Adjust(p, BenjaminiYekutieli, o.Alpha)
}

// adjustInteractions says of which metrics the effect differs between segments,
// all of them taken together.
func adjustInteractions(tables []Segmented, o Options) {
	p, logE := make([]float64, len(tables)), make([]float64, len(tables))
	for i, t := range tables {
		p[i], logE[i] = t.Interaction.FixedP, t.Interaction.LogE
	}
	a := adjustEither(p, logE, o)
	for i := range a.P { // none of what was refused as a whole
		tables[i].Interaction.AdjustedP, tables[i].Interaction.Differs = a.P[i], a.Rejected[i]
	}
}

// decide writes the adjusted answer into the segment. The interval is that of
// the same process at another error: tuned anew to it, it would not be the
// inverse of the e-value that was adjusted. Where test and interval disagree
// nonetheless, as those of shares can on the border, nothing stands out.
func (m member) decide(a Adjusted, i int, o Options) {
	if m.refused() || a.Refused != nil {
		return
	}
	o.tunedTo, o.Alpha = o.Alpha, a.Level
	m.P = a.P[i]
	m.Interval, _ = Compare(m.strata, o).Answer()
	m.StandsOut = a.Rejected[i] && !m.Interval.Contains(0)
}

func (t *Segmented) doubt(a Adjusted) {
	t.Method = methodSegments + a.Method
	t.Assumptions = append([]string{assumeExploratory, assumeDisjoint}, a.Assumptions...)
	t.Refused = a.Refused
	for _, e := range t.Segments {
		if e.StandsOut && !t.Interaction.Differs {
			t.warn(warnInteraction)
		}
	}
}
