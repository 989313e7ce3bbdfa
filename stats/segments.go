package stats

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
// one that holds at every look by e-BH. A segment that cannot be compared says
// why and counts for nothing.
func Breakdown(metrics []Split, o Options) []Segmented {
	o = o.defaults()
	tables := make([]Segmented, len(metrics))
	var all []member
	for i, m := range metrics {
		var compared []member
		tables[i], compared = segmented(m, o)
		tables[i].Interaction = interaction(groups(compared, o))
		all = append(all, compared...)
	}
	a := adjustMembers(all, o)
	for j, m := range all {
		m.decide(a, j, o)
	}
	for i := range tables {
		tables[i].doubt(a, o)
	}
	return tables
}

// member is a segment that has an answer.
type member struct {
	*SegmentEffect
	strata []Stratum
}

// segmented compares a metric segment by segment.
func segmented(s Split, o Options) (Segmented, []member) {
	t := Segmented{Metric: s.Metric, Segments: make([]SegmentEffect, len(s.Segments))}
	var compared []member
	for i, g := range s.Segments {
		t.Segments[i] = SegmentEffect{Value: g.Value, Rest: g.Rest, Comparison: Compare(g.Strata, o), P: 1, Interval: Open()}
		if t.Segments[i].Comparison.Refused == nil {
			compared = append(compared, member{&t.Segments[i], g.Strata})
		}
	}
	return t, compared
}

func groups(members []member, o Options) []groupEffect {
	out := make([]groupEffect, len(members))
	for i, m := range members {
		c := m.Comparison
		out[i] = groupEffect{at: c.Estimate, se: c.SE, p: o.process(1/(c.SE*c.SE), float64(c.Control.N+c.Treatment.N), o.Alpha)}
	}
	return out
}

// adjustMembers adjusts e-values where each segment's answer holds at every
// look, else p-values.
func adjustMembers(members []member, o Options) Adjusted {
	values := make([]float64, len(members))
	for i, m := range members {
		_, values[i] = m.Comparison.Answer()
		if o.Inference.everyLook() {
			values[i] = m.Comparison.LogE
		}
	}
	if o.Inference.everyLook() {
		return AdjustE(values, o.Alpha)
	}
	return Adjust(values, BenjaminiYekutieli, o.Alpha)
}

// decide writes the adjusted answer into the segment. Where test and interval
// disagree, as they can on the border, nothing stands out.
func (m member) decide(a Adjusted, i int, o Options) {
	o.Alpha = a.Level
	m.P = a.P[i]
	m.Interval, _ = Compare(m.strata, o).Answer()
	m.StandsOut = a.Rejected[i] && !m.Interval.Contains(0)
}

func (t *Segmented) doubt(a Adjusted, o Options) {
	t.Method = methodSegments + a.Method
	t.Assumptions = append([]string{assumeExploratory, assumeDisjoint}, a.Assumptions...)
	t.Refused = a.Refused
	p := t.Interaction.FixedP
	if o.Inference.everyLook() {
		p = t.Interaction.P
	}
	for _, e := range t.Segments {
		if e.StandsOut && p > o.Alpha {
			t.warn(warnInteraction)
		}
	}
}
