package dashboards

import "time"

// Record is the page of one decision, frozen: what was decided, by whom, on
// which evidence. It is made to be printed on one page.
type Record struct {
	Frame
	ID        string
	Title     Title // of the rollout
	Number    int
	Mark      Mark
	Action    string // the verdict's own word: "Rollback"
	Change    string // "experiment → safe variant"; empty: the stage stayed
	At        time.Time
	Who       string
	Reason    string
	Rationale string         // a person's; empty: the controller decided
	Advice    Recommendation // what was recommended, of a person's decision
	Approvals []Assent       // that the verdict counted
	Checks    []Check
	Readout
	Exposures Exposures
	Plan      string // as it was then, as YAML; empty: not known
	Metrics   string // their definitions, as YAML
	Facts     []Fact // hashes and versions that pin the evidence
	Links     []string
	Recompute Recompute
	Learning  *Learning // nil: the rollout is not over, or this is not its last decision
	Markdown  string    // address of the page as Markdown
	Document  string    // address of the whole record as JSON
	Verify    string    // the command that recomputes it
	AsOf      AsOf
}

func (Record) template() string { return "record" }

// Fact is a name and its value, shown as they are.
type Fact struct{ Name, Value string }

// Recommendation is what the evidence recommended to a person who decided.
type Recommendation struct {
	Mark Mark   // Passed: followed, Overruled: not
	Text string // empty: nothing was recommended
	Link string // of the decision that recommends it; empty: none
}

// Assent is one approval.
type Assent struct {
	Who, Roles, Comment string
	At                  time.Time
}

// Recompute is a decision made again, on demand.
type Recompute struct {
	Possible bool     // false: a person decided, and there is nothing to make again
	Link     string   // of the page that makes it again
	Proofs   []Proof  // what came out; none: nobody asked
	Forgot   int      // units whose facts were deleted since
	Faults   []string // why something could not be made again
}

// Proof is one way of making a decision again.
type Proof struct {
	Name        string // "From the record alone"
	Mark        Mark   // Passed or Failed
	Text        string // what came out, in a sentence
	Differences []Differing
}

// Differing is one number that came out otherwise.
type Differing struct{ Of, Recorded, Now, Change string }

// Learning is what was learnt from a rollout, or the form that asks for it.
type Learning struct {
	Rows []Fact // none: nobody has recorded it
	Held []Fact // the later look whether the effect held, by metric
	By   string
	At   time.Time
	Form *Form // nil: whoever looks may not record it
}
