package main

import (
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/stats"
)

// A metric that cannot be compared says why, and a cap of a ratio both numbers.
func TestReadoutTable_words(t *testing.T) {
	tooFew := &stats.Comparison{Doubt: stats.Doubt{Refused: &stats.Refusal{Code: stats.TooFewUnits, Message: "an arm needs two units or more"}}}
	flat := &stats.Comparison{Doubt: stats.Doubt{Refused: &stats.Refusal{Code: stats.ZeroVariance, Message: "all values are equal"}}}
	evidence := decisions.Evidence{Metrics: []decisions.Measured{
		{Metric: "none"}, {Metric: "few", Comparison: tooFew}, {Metric: "flat", Comparison: flat},
		{Metric: "per_item", Cap: &decisions.Cap{Value: decisions.Bound{At: 12.5}, Denominator: &decisions.Bound{At: 7}}},
	}}
	var out strings.Builder
	readoutTable(&out, decisions.Rollout{}, server.ReadoutView{Evidence: evidence})
	for _, want := range []string{
		"none\t\t\t\t\t\tno data yet\n", "few\t\t\t\t\t\tno data yet\n", "flat\t\t\t\t\t\tall values are equal\n",
		"Values of per_item are cut at 12.5, and those they are divided by at 7, taken from the units of this look.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
