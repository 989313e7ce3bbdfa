package dashboards

import "time"

// Record is the page of one decision, frozen: what was decided, by whom, on
// which evidence. It is made to be printed on one page.
type Record struct {
	Frame
	ID     string
	Title  Title // of the rollout
	Number int
	Mark   Mark
	Action string // the verdict's own word: "Rollback"
	Change string // "experiment → safe variant"; empty: the stage stayed
	At     time.Time
	Who    string
	Reason string
	Checks []Check
	Readout
	Exposures Exposures
	Facts     []Fact // hashes and versions that pin the evidence
	Verify    string // the command that recomputes it
	AsOf      AsOf
}

func (Record) template() string { return "record" }

// Fact is a name and its value, shown as they are.
type Fact struct{ Name, Value string }
