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
)

// Marks of a rollout.
const (
	Planned    Mark = "planned"
	Running    Mark = "running"
	Holding    Mark = "holding"
	Paused     Mark = "paused"
	RolledBack Mark = "rolled back"
	Review     Mark = "review"
	Shipped    Mark = "shipped"
	Ended      Mark = "ended"
)

// Expanded marks a decision that let more units in.
const Expanded Mark = "expanded"

// Glyph returns the sign that stands before the word. Signs that some fonts
// draw as coloured pictures ask for their text form (U+FE0E).
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
	case NoData:
		return "?"
	case Passed, Shipped:
		return "✓"
	case Waiting, Planned:
		return "◌"
	case Failed:
		return "✕"
	case Running, Expanded:
		return "▶\uFE0E"
	case Holding, Paused:
		return "⏸\uFE0E"
	case RolledBack:
		return "⛔\uFE0E"
	case Review:
		return "!"
	case NotApplicable, Ended:
		return "–"
	}
	return "?"
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
	case Better, Shipped, Within, Passed:
		return ToneBetter
	case Worse, Failed, RolledBack:
		return ToneWorse
	case Inconclusive, NoData, Waiting, Planned, NotApplicable:
		return ToneUnknown
	}
	return TonePlain
}
