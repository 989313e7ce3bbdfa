package main

import (
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/sluice-hq/sluice/stats/calculator"
)

// TestStats_table: answers as a person reads them. The first is the published
// result of Cookie Cats.
func TestStats_table(t *testing.T) {
	for _, tt := range []struct {
		command, question string
		want              []string
	}{
		{"compare", `{"control":{"type":"proportion","n":44700,"sum":8502},"treatment":{"type":"proportion","n":45489,"sum":8279}}`,
			[]string{"estimate        −0.008201", "control_mean    19.02 %", "treatment_mean  18.20 %", "statistic       −3.164", "p_value         0.001554"}},
		{"guardrail", `{"control":{"type":"proportion","n":44700,"sum":8502},"treatment":{"type":"proportion","n":45489,"sum":8279},"margin":0.02}`,
			[]string{"state               harmed", "estimate            −4.31 %"}},
		{"events", `{"counts": [0, 7]}`, []string{"ci_high          –"}},
		{"boundary", `{"looks": 2, "stopped": {"look": 2, "z": 2}}`, []string{"stopped.p_value   0.", "", "information  z      spent", "0.5          2.538", "1            1.662  0.05"}},
		{"srm", `{"observed": [10, 20], "weights": [1, 1], "method": "sequential"}`, []string{"leaked       0", "ci", "0.1238 to 0.603"}},
		{"adjust", `{"p": []}`, []string{"error.code     bad_input", "error.field    p"}},
	} {
		answer, _ := calculator.Answer(tt.command, []byte(tt.question))
		var printed strings.Builder
		w := tabwriter.NewWriter(&printed, 0, 4, 2, ' ', 0)
		calculated([]byte(tt.question), answer).write(w)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		for _, line := range tt.want {
			if !strings.Contains("\n"+printed.String(), "\n"+line) {
				t.Errorf("%s prints\n%s\nwant a line %q", tt.command, &printed, line)
			}
		}
	}
}
