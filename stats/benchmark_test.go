package stats

import "testing"

// spending is an arm of 10,000 units, half of whose variance follows what they
// spent before; one in five is new.
func spending(mean float64) Sample {
	const n = 10_000
	j := Joint{N: n, Means: []float64{mean, 2.4, 0.2}, M: []float64{2 * n, 1 * n, 0, 2.5 * n, -0.48 * n, 0.16 * n}}
	return Mean(j.Moments(0)).With(j)
}

func benchmarkCompare(b *testing.B, o Options, times int) {
	strata := []Stratum{{Control: spending(3), Treatment: spending(3.1)}}
	if c := Compare(strata, o); c.Refused != nil {
		b.Fatal(c.Refused)
	}
	b.ReportAllocs()
	for b.Loop() {
		for range times {
			Compare(strata, o)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	benchmarkCompare(b, Options{Relative: true, Covariate: Unadjusted}, 1)
}

func BenchmarkCompareWithCUPEDAlwaysValid(b *testing.B) {
	benchmarkCompare(b, Options{Relative: true, Inference: AlwaysValid}, 1)
}

// BenchmarkReadout is 50 metrics of 10 segments in 4 arms, all with CUPED: it is
// to take less than 5 ms.
func BenchmarkReadout(b *testing.B) { benchmarkCompare(b, Options{Relative: true}, 50*10*3) }

func BenchmarkGuardrail(b *testing.B) {
	strata := []Stratum{{Control: spending(3), Treatment: spending(3.1)}}
	g := Guardrail{Margin: 0.1, Direction: Decrease}
	f, ok := Freeze(strata)
	if !ok {
		b.Fatal("nothing is frozen")
	}
	b.ReportAllocs()
	for b.Loop() {
		g.Judge(strata, f)
	}
}
