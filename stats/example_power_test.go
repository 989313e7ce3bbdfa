package stats_test

import (
	"fmt"

	"github.com/sluice-hq/sluice/stats"
)

// A gain of 5 % of those who come back, by one look and by looks at any time.
func ExampleDesign_Solve() {
	d := stats.Design{Metric: stats.Expected{Kind: stats.KindProportion, Level: 0.19}, Effect: 0.05}
	fmt.Println(d.Solve().Units)
	d.Inference = stats.AlwaysValid
	fmt.Println(d.Solve().Units)
	d.Units = 10_000
	fmt.Printf("%.1f %%\n", 100*d.Solve().MDE)
	// Output:
	// [28646 28646]
	// [56100 56100]
	// 12.4 %
}

// That a stage excludes a loss of 10 %, when there is none.
func ExampleDesign_Solve_exclusion() {
	d := stats.Design{Metric: stats.Expected{Kind: stats.KindMean, Level: 40, SD: 90}, Margin: 0.1, Inference: stats.GroupSequential}
	p := d.Solve()
	fmt.Printf("%d units in each arm, %.0f days of 1,000 units\n", p.Units[0], stats.Daily(1000).Days(float64(p.Total)))
	// Output: 6002 units in each arm, 12 days of 1,000 units
}

// A failure that never existed, of one unit in a thousand.
func ExampleEventDesign_Solve() {
	d := stats.EventDesign{Rate: 0, Effect: 0.001, Absolute: true}
	fmt.Println(d.Solve().Units)
	// Output: [9076 9076]
}
