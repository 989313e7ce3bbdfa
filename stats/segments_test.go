package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func effects(at, variance []float64) []groupEffect {
	out := make([]groupEffect, len(at))
	for i := range at {
		out[i] = groupEffect{at: at[i], se: math.Sqrt(variance[i]), p: tuned(1/variance[i], 0.05)}
	}
	return out
}

// The heterogeneity of published effects, as metafor pins it
// (wviechtb/metafor, tests/testthat/test_analysis_example_lipsey2001.r: Lipsey &
// Wilson 2001, exhibits 7.3 and 7.4, all studies and those that were not and
// were randomised; test_analysis_example_normand1999.r: Normand 1999, table IX,
// whose τ² = 218.7216 of DerSimonian & Laird is a Q of 240.72 by their formula).
func TestInteractionPublished(t *testing.T) {
	yi := []float64{-0.33, 0.32, 0.39, 0.31, 0.17, 0.64, -0.33, 0.15, -0.02, 0.00}
	vi := []float64{0.084, 0.035, 0.017, 0.034, 0.072, 0.117, 0.102, 0.093, 0.012, 0.067}
	stay := []float64{-20, -2, -55, -71, -4, 1, 11, -10, 7}
	noise := []float64{40.5863, 2.0468, 15.2809, 150.2222, 20.1923, 1.2235, 95.3756, 8.0321, 20.6936}
	var sum, squares float64
	for _, v := range noise {
		sum, squares = sum+1/v, squares+1/v/v
	}
	for _, tt := range []struct {
		name    string
		groups  []groupEffect
		q, p, e float64
		df      int
	}{
		{"all studies", effects(yi, vi), 14.7640, 0.0976, 5e-5, 9},
		{"not randomised", effects(yi[:6], vi[:6]), 6.4382, 0.2659, 5e-5, 5},
		{"randomised", effects(yi[6:], vi[6:]), 1.2519, 0.7406, 5e-5, 3},
		{"length of stay", effects(stay, noise), 8 + 218.7216*(sum-squares/sum), 0, 0.02, 8},
	} {
		n := interaction(tt.groups)
		if !near(n.Q, tt.q, tt.e) || !near(n.FixedP, tt.p, 5e-5) || n.DF != tt.df {
			t.Errorf("%s: Q = %v, p = %v, df %d, want %v, %v, %d", tt.name, n.Q, n.FixedP, n.DF, tt.q, tt.p, tt.df)
		}
	}
	// The difference of two groups is their own Q: exhibit 7.4, QM = 7.0739, p 0.0078.
	if n := interaction(effects([]float64{0.2984, -0.0277}, []float64{0.0813 * 0.0813, 0.0917 * 0.0917})); !near(n.Q, 7.0739, 0.02) || !near(n.FixedP, 0.0078, 1e-4) {
		t.Errorf("between the two kinds of studies: Q = %v, p = %v", n.Q, n.FixedP)
	}
}

// The e-value of the interaction is the least of the product over all common
// effects: a search over them finds none that is less.
func TestInteractionIsTheLeastOverCommonEffects(t *testing.T) {
	groups := effects([]float64{1, 2, 4}, []float64{0.5, 0.1, 2})
	got := interaction(groups).LogE
	least := math.Inf(1)
	for at := 0.0; at < 5; at += 0.001 {
		product := 0.0
		for _, g := range groups {
			i := 1 / (g.se * g.se)
			product += g.p.logTwo(i*(g.at-at), i)
		}
		least = math.Min(least, product)
	}
	if !near(got, least, 1e-5) || got > least+1e-12 {
		t.Errorf("log e = %v, the search found %v", got, least)
	}
}

// Under one effect in all segments the interaction is found at most as often as
// its error says, also when it is looked for at each of 50 looks.
func TestInteractionFalseAlarms(t *testing.T) {
	const runs, looks, alpha = 400, 50, 0.05
	rng := rand.New(rand.NewPCG(5, 2))
	ever := 0
	for range runs {
		var at, n [4]float64
		found := false
		for range looks {
			var list []groupEffect
			for g := range at {
				step := float64(100 * (g + 1)) // segments grow at different speeds
				at[g] += step*0.3 + math.Sqrt(step)*rng.NormFloat64()
				n[g] += step
				list = append(list, groupEffect{at: at[g] / n[g], se: 1 / math.Sqrt(n[g]), p: tuned(5000, alpha)})
			}
			found = found || interaction(list).P <= alpha
		}
		if found {
			ever++
		}
	}
	if limit := alpha + 2*math.Sqrt(alpha*(1-alpha)/runs); float64(ever)/runs > limit {
		t.Errorf("a common effect was taken for an interaction in %d of %d runs", ever, runs)
	}
}

// split is a metric in segments of 2,000 units with these shares in control and
// treatment.
func split(name string, shares ...[2]float64) Split {
	s := Split{Metric: name}
	for i, p := range shares {
		s.Segments = append(s.Segments, Segment{Value: string(rune('a' + i)), Strata: []Stratum{{
			Control: Proportion(2000, int64(2000*p[0])), Treatment: Proportion(2000, int64(2000*p[1]))}}})
	}
	return s
}

func TestBreakdown(t *testing.T) {
	for _, inference := range []Inference{FixedHorizon, AlwaysValid, LinearModel} {
		same := [2]float64{0.2, 0.2}
		got := Breakdown([]Split{split("signup", same, [2]float64{0.2, 0.3}, same), split("orders", same, same)},
			Options{Relative: true, Inference: inference})
		if len(got) != 2 || len(got[0].Segments) != 3 || len(got[1].Segments) != 2 {
			t.Fatalf("%s: %+v", inference, got)
		}
		for i, m := range got {
			for j, e := range m.Segments {
				want := i == 0 && j == 1
				if e.StandsOut != want || e.Interval.Contains(0) == want || !(e.P <= 1) || e.P < e.Comparison.P {
					t.Errorf("%s: segment %s of %s: stands out %v, p %v, interval %v", inference, e.Value, m.Metric, e.StandsOut, e.P, e.Interval)
				}
				if c := e.Comparison; !e.Interval.Contains(c.Estimate) {
					t.Errorf("%s: interval %v without its estimate %v", inference, e.Interval, c.Estimate)
				}
			}
		}
		if n := got[0].Interaction; n.FixedP > 0.001 || n.P > 0.05 || got[1].Interaction.P != 1 {
			t.Errorf("%s: interaction %+v, none in %+v", inference, n, got[1].Interaction)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Error(err)
		}
	}
}

// A segment of one unit says why it has no effect, and counts among those that
// were asked for; where all do, there is no answer at all.
func TestBreakdownRefuses(t *testing.T) {
	thin := Segment{Value: "z", Strata: []Stratum{{Control: Proportion(1, 1), Treatment: Proportion(1, 0)}}}
	with, without := split("signup", [2]float64{0.2, 0.25}, [2]float64{0.2, 0.2}), split("signup", [2]float64{0.2, 0.25}, [2]float64{0.2, 0.2})
	with.Segments = append(with.Segments, thin)
	a, b := Breakdown([]Split{with}, Options{})[0], Breakdown([]Split{without}, Options{})[0]
	if last := a.Segments[2]; last.Comparison.Refused == nil || last.StandsOut || last.P != 1 || last.Interval != Open() {
		t.Errorf("a segment of one unit: %+v", last)
	}
	if want := b.Segments[0].P / (2 * 1.5) * (3 * (1.5 + 1./3)); !near(a.Segments[0].P, want, 1e-12) || a.Interaction.Q != b.Interaction.Q {
		t.Errorf("a segment of three: p = %v, want %v; interactions %v, %v", a.Segments[0].P, want, a.Interaction.Q, b.Interaction.Q)
	}
	for _, m := range [][]Split{{{Metric: "signup", Segments: []Segment{thin}}}, {{Metric: "signup"}}} {
		if got := Breakdown(m, Options{})[0]; got.Refused == nil || got.Interaction.Refused == nil || got.Interaction.P != 1 {
			t.Errorf("no segment with an answer: %+v", got)
		}
	}
	if got := Breakdown(nil, Options{}); len(got) != 0 {
		t.Errorf("no metrics: %+v", got)
	}
	if n := interaction([]groupEffect{{at: 1e200, se: 1e-200, p: process{R: 1}}, {at: -1e200, se: 1, p: process{R: 1}}}); n.Refused == nil || n.P != 1 || n.FixedP != 1 {
		t.Errorf("numbers out of range: %+v", n)
	}
}

// One segment that stands out is not a difference between segments.
func TestBreakdownWarnsOfSegmentsThatDoNotDiffer(t *testing.T) {
	s := split("signup", [2]float64{0.2, 0.26}, [2]float64{0.2, 0.23})
	if got := Breakdown([]Split{s}, Options{})[0]; !got.Segments[0].StandsOut || got.Interaction.FixedP < 0.05 || len(got.Warnings) != 1 {
		t.Errorf("%+v", got)
	}
}

// Of rare outcomes most segments have none, and cannot be compared. Those that
// can are the ones where chance put some: they answer for all that were asked.
func TestBreakdownCountsSegmentsWithoutOutcomes(t *testing.T) {
	silent := Segment{Strata: []Stratum{{Control: Proportion(2000, 0), Treatment: Proportion(2000, 0)}}}
	lucky := Segment{Strata: []Stratum{{Control: Proportion(2000, 2), Treatment: Proportion(2000, 12)}}}
	alone := Breakdown([]Split{{Segments: []Segment{lucky}}}, Options{})[0].Segments[0]
	among := Breakdown([]Split{{Segments: append(slices.Repeat([]Segment{silent}, 19), lucky)}}, Options{})[0].Segments[19]
	if !alone.StandsOut || among.StandsOut || !among.Interval.Contains(0) || among.P <= 0.05 {
		t.Errorf("alone p = %v, the only one of twenty with outcomes p = %v, %v", alone.P, among.P, among.Interval)
	}
}

// The interval of an answer that holds at every look is the inverse of the
// e-value that was adjusted: it leaves zero out where the segment is rejected,
// and nowhere else.
func TestBreakdownIntervalsAgreeWithTheirTests(t *testing.T) {
	same := Segment{Strata: []Stratum{{Control: Mean(Moments{N: 2000, M2: 2000}), Treatment: Mean(Moments{N: 2000, M2: 2000})}}}
	for _, o := range []Options{{Inference: AlwaysValid}, {Inference: AlwaysValid, Side: Greater}, {Inference: AlwaysValid, Margin: 0.1}, {Inference: LinearModel}} {
		found := false
		for at := 0.08; at < 0.2; at += 0.0005 {
			s := Split{Segments: slices.Repeat([]Segment{same}, 10)}
			s.Segments[0].Strata = []Stratum{{Control: Mean(Moments{N: 2000, M2: 2000}), Treatment: Mean(Moments{N: 2000, Mean: at, M2: 2000})}}
			e := Breakdown([]Split{s}, o)[0].Segments[0]
			if rejected := e.P <= 0.05; rejected == e.Interval.Contains(0) || rejected != e.StandsOut {
				t.Fatalf("%s %s, effect %v: p = %v beside %v", o.Inference, o.Side, at, e.P, e.Interval)
			}
			found = found || e.StandsOut
		}
		if !found {
			t.Errorf("%s %s: nothing stood out", o.Inference, o.Side)
		}
	}
}

// Whether effects differ is asked of every metric: of many, one differs by
// chance.
func TestBreakdownAdjustsInteractions(t *testing.T) {
	same := split("same", [2]float64{0.2, 0.2}, [2]float64{0.2, 0.2})
	for inference, differs := range map[Inference]Split{
		FixedHorizon: split("differs", [2]float64{0.2, 0.24}, [2]float64{0.2, 0.19}),
		AlwaysValid:  split("differs", [2]float64{0.2, 0.255}, [2]float64{0.2, 0.18}),
	} {
		alone := Breakdown([]Split{differs}, Options{Inference: inference})[0].Interaction
		among := Breakdown(append(slices.Repeat([]Split{same}, 30), differs), Options{Inference: inference})[30].Interaction
		if !alone.Differs || among.Differs || among.AdjustedP <= alone.AdjustedP || among.FixedP != alone.FixedP {
			t.Errorf("%s: alone %+v, among 31 %+v", inference, alone, among)
		}
	}
}
