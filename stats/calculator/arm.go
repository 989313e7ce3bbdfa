package calculator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// arm is one side of a comparison as it was sent: sums by name.
type arm struct {
	at   string // where it stands in the question: "treatment", "strata[1].control"
	kind string
	nu   float64                    // of a quantile
	have map[string]json.RawMessage // less the type; what is read is taken out
}

// newArm reads one arm; what it consists of is read by sample.
func newArm(raw json.RawMessage, at string) (*arm, *stats.Refusal) {
	if raw == nil {
		return nil, bad(at, "a comparison needs control and treatment")
	}
	a := &arm{at: at}
	if json.Unmarshal(raw, &a.have) != nil {
		return nil, bad(at, "an arm is a JSON object")
	}
	if json.Unmarshal(a.have["type"], &a.kind) != nil {
		return nil, bad(a.field("type"), "an arm says its type: "+kinds)
	}
	delete(a.have, "type")
	return a, nil
}

// whole refuses what sample left: an arm has no more than its sums.
func (a *arm) whole() *stats.Refusal {
	if len(a.have) == 0 {
		return nil
	}
	return bad(a.field(slices.Sorted(maps.Keys(a.have))[0]), "is no part of an arm of type "+a.kind)
}

const kinds = "mean, proportion, ratio, cluster, quantile or events"

func (a *arm) sample() (stats.Sample, *stats.Refusal) {
	switch a.kind {
	case "proportion":
		return a.proportion()
	case "mean", "ratio", "cluster":
		return a.summed()
	case "quantile":
		return a.quantile()
	}
	return stats.Sample{}, bad(a.field("type"), fmt.Sprintf("%q is no type of an arm; write %s", a.kind, kinds))
}

func (a *arm) proportion() (stats.Sample, *stats.Refusal) {
	n, r := a.count("n")
	if r != nil {
		return stats.Sample{}, r
	}
	x, r := a.count("sum")
	if r != nil {
		return stats.Sample{}, r
	}
	if x > n {
		return stats.Sample{}, bad(a.field("sum"), "the units that had the outcome are 0 to n")
	}
	return stats.Proportion(n, x), nil
}

// field is the place of a number of the arm in the question.
func (a *arm) field(name string) string { return a.at + "." + name }

func (a *arm) has(name string) bool { return a.have[name] != nil }

// take returns a number of the arm, and takes it out.
func (a *arm) take(name string) number {
	var n number
	if raw := a.have[name]; raw != nil {
		_ = n.UnmarshalJSON(raw) // it takes anything
	}
	delete(a.have, name)
	return n
}

func (a *arm) count(name string) (int64, *stats.Refusal) { return a.take(name).count(a.field(name)) }

func (a *arm) float(name string) (float64, *stats.Refusal) { return a.take(name).float(a.field(name)) }
