package dashboards

// Mark is a state as a page shows it: always a glyph, a word and a colour
// together, so that none of the three is needed to read it.
type Mark string

// Marks of a comparison.
const (
	Better       Mark = "better"        // the metric moved as desired, beyond doubt
	Worse        Mark = "worse"         // it moved the other way, beyond doubt
	Within       Mark = "within margin" // a guardrail's margin is excluded
	Inconclusive Mark = "inconclusive"  // both are still possible
	NoData       Mark = "no data"       // nothing was measured
)

// Marks of a check of the gate.
const (
	Passed        Mark = "passed"
	Waiting       Mark = "waiting"
	Failed        Mark = "failed"
	NotApplicable Mark = "not applicable"
	Overruled     Mark = "overruled" // it stands open, and a person decided against it
)

// Marks of a rollout.
const (
	Planned    Mark = "planned"
	Running    Mark = "running"
	Holding    Mark = "holding"
	Paused     Mark = "paused"
	RolledBack Mark = "rolled back"
	Rejected   Mark = "rejected"
	Review     Mark = "review"
	Shipped    Mark = "shipped"
	CleanupDue Mark = "cleanup due"
)

// Expanded marks a decision that let more units in.
const Expanded Mark = "expanded"

// Marks of a flag: where it is in its life, and how it is.
const (
	Draft         Mark = "draft"
	Experimenting Mark = "experimenting"
	Decided       Mark = "decided"
	Live          Mark = "live"
	Archived      Mark = "archived"
	Healthy       Mark = "healthy"
	Critical      Mark = "critical"
	Unclear       Mark = "health unknown"
)

// Marks of what was asked for.
const (
	Pending   Mark = "pending"
	Made      Mark = "done"
	Withdrawn Mark = "withdrawn"
	Lapsed    Mark = "lapsed"
	Void      Mark = "void"
)

// Marks of a unit and a segment.
const (
	Member    Mark = "a member"
	NotMember Mark = "no member"
)

// Marks of a condition, and of what evaluation looks at.
const (
	Met    Mark = "met"
	NotMet Mark = "not met"
	WentOn Mark = "went on"
)

// Marks of an event at the door. One that is not taken is Rejected.
const (
	Accepted   Mark = "accepted"
	DeadLetter Mark = "dead letter"
	Refused    Mark = "refused" // with its whole request
)

// Marks of an event, or a unit, in the results.
const (
	Counts  Mark = "counted"
	Ignored Mark = "not counted"
)

// Marks of how safe it is to end a flag.
const (
	Safe    Mark = "safe"
	Caution Mark = "caution" // a person should look first
	Blocked Mark = "blocked"
)

// Glyph returns the sign that stands before the word, as text.
func (m Mark) Glyph() string {
	switch m {
	case Better:
		return "▲"
	case Worse:
		return "▼"
	case Within:
		return "■"
	case Inconclusive:
		return "○"
	case Passed, Shipped, Healthy, Live, Made, Member, Met, Decided, Accepted, Safe, Counts:
		return "✓"
	case Waiting, Planned, Draft, Pending, Unclear:
		return "◌"
	case Failed, Rejected, Critical, Archived, Withdrawn, Lapsed, Void, NotMember, NotMet, Refused, Blocked:
		return "✕"
	case Running, Expanded, Experimenting:
		return "▶"
	case Holding, Paused:
		return "⏸"
	case RolledBack:
		return "⛔"
	case Review, Overruled, DeadLetter, Caution:
		return "!"
	case NotApplicable, CleanupDue, WentOn, Ignored:
		return "–"
	}
	return "?"
}

// Shape is a glyph as a drawing in a square of 12 by 12.
type Shape struct {
	Path string
	Line bool // an outline rather than a surface
}

// Shape returns the drawing of the glyph, nil when its text is as good. Not
// every machine has a font with these signs, and some draw them as coloured
// pictures, which would say a colour that the palette does not.
func (m Mark) Shape() *Shape {
	switch m {
	case Better:
		return &Shape{Path: "M6 1.5 11.5 11H.5z"}
	case Worse:
		return &Shape{Path: "M6 10.5.5 1h11z"}
	case Within:
		return &Shape{Path: "M1.5 1.5h9v9h-9z"}
	case Inconclusive:
		return &Shape{Path: "M6 1.5a4.5 4.5 0 1 0 .01 0z", Line: true}
	case Passed, Shipped, Healthy, Live, Made, Member, Met, Decided, Accepted, Safe, Counts:
		return &Shape{Path: "M1.5 6.5 4.5 9.5 10.5 2.5", Line: true}
	case Waiting, Planned, Draft, Pending, Unclear:
		return &Shape{Path: "M6 1.5A4.5 4.5 0 0 1 10.5 6M8.25 9.9A4.5 4.5 0 0 1 3.75 9.9M1.5 6A4.5 4.5 0 0 1 3 2.65", Line: true}
	case Failed, Rejected, Critical, Archived, Withdrawn, Lapsed, Void, NotMember, NotMet, Refused, Blocked:
		return &Shape{Path: "M2 2l8 8M10 2l-8 8", Line: true}
	case Running, Expanded, Experimenting:
		return &Shape{Path: "M2 1v10l9-5z"}
	case Holding, Paused:
		return &Shape{Path: "M2 1h3v10H2zM7 1h3v10H7z"}
	case RolledBack:
		return &Shape{Path: "M6 .5a5.5 5.5 0 1 0 .01 0zM2.5 5h7v2h-7z"}
	}
	return nil
}

// Tone is the colour role of a mark; style.css gives each its colours in light
// and in dark.
type Tone string

// The four tones: blue, burnt orange, outline only, and plain ink.
const (
	ToneBetter  Tone = "better"
	ToneWorse   Tone = "worse"
	ToneUnknown Tone = "unknown"
	TonePlain   Tone = "plain"
)

// Tone returns the colour role that goes with the word.
func (m Mark) Tone() Tone {
	switch m {
	case Better, Shipped, Passed, Healthy, Made, Safe:
		return ToneBetter
	case Worse, Failed, RolledBack, Critical, Blocked:
		return ToneWorse
	case Inconclusive, NoData, Waiting, Planned, NotApplicable, Draft, Pending, Unclear, NotMet, WentOn, Accepted, Ignored:
		return ToneUnknown
	}
	return TonePlain
}
