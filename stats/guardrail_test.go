package stats

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

func arms(nc, xc, nt, xt int64) []Stratum {
	return []Stratum{{Control: Proportion(nc, xc), Treatment: Proportion(nt, xt)}}
}

func frozen(t *testing.T, strata []Stratum) Frozen {
	t.Helper()
	f, ok := Freeze(strata)
	if !ok {
		t.Fatal("nothing was frozen")
	}
	return f
}

func TestGuardrailStates(t *testing.T) {
	g := Guardrail{Margin: 0.1, Direction: Decrease} // of an error rate
	base := frozen(t, arms(20000, 2000, 20000, 2000))
	for _, tt := range []struct {
		name   string
		xt     int64
		state  State
		harmed bool
	}{
		{"much worse", 3000, Breached, true},
		{"worse, around the margin", 2200, Harmed, true},
		{"a little worse", 2060, Unknown, false},
		{"better", 1700, Safe, false},
	} {
		j := g.Judge(arms(20000, 2000, 20000, tt.xt), base)
		if j.State != tt.state || j.Harmed != tt.harmed {
			t.Errorf("%s: %s, harmed %v, want %s, %v; %+v", tt.name, j.State, j.Harmed, tt.state, tt.harmed, j)
		}
		up := Guardrail{Margin: 0.1, Direction: Increase}.Judge(arms(20000, 2000, 20000, 4000-tt.xt), base)
		if up.State != tt.state {
			t.Errorf("%s, the other direction: %s %v, want %s %v", tt.name, up.State, up.LogBreach, tt.state, j.LogBreach)
		}
	}
	worse := g.Judge(arms(2000000, 200000, 2000000, 206000), base)
	if worse.State != Safe || !worse.Harmed {
		t.Errorf("3 %% worse with a margin of 10 %%: %s, harmed %v, want safe and harmed", worse.State, worse.Harmed)
	}
}

// The bounds are where the tests change their answer, so that a state never
// contradicts the interval beside it.
func TestGuardrailBoundsAgree(t *testing.T) {
	g := Guardrail{Margin: 0.1, Direction: Decrease}
	f := frozen(t, arms(20000, 2000, 20000, 2000))
	for xt := int64(1500); xt < 3000; xt += 7 {
		j := g.Judge(arms(20000, 2000, 20000, xt), f)
		if j.Breached != (j.Bounds.Low >= 0.1) || j.Harmed != (j.Bounds.Low >= 0) || j.Safe != (j.Bounds.High <= 0.1) {
			t.Errorf("%d failures: %s beside %v", xt, j.State, j.Bounds)
		}
		if j.Breached && !j.Harmed {
			t.Errorf("%d failures: breached and not harmed", xt)
		}
		if j.Fixed.Low < j.Band.Low || j.Fixed.High > j.Band.High {
			t.Errorf("%d failures: fixed %v beyond band %v", xt, j.Fixed, j.Band)
		}
	}
}

// A failure that never existed before, told as a proportion: the margin is
// taken of the control mean so far, which is 0.
func TestGuardrailZeroBaseline(t *testing.T) {
	g := Guardrail{Margin: 0.1, Direction: Decrease}
	f, ok := Freeze(arms(10000, 0, 10000, 500))
	if !ok || f.ControlMean != 0 {
		t.Fatalf("frozen %+v, %v", f, ok)
	}
	j := g.Judge(arms(10000, 0, 10000, 500), f)
	if j.State != Breached || j.Relative || !near(j.Estimate, 0.05, 1e-12) || !slices.Contains(j.Warnings, warnZeroControl) {
		t.Errorf("0 against 500 in 10,000: %+v", j)
	}
	if j := g.Judge(arms(10000, 500, 10000, 500), f); j.State != Unknown {
		t.Errorf("control caught up, and the state is %s", j.State)
	}
	absolute := Guardrail{Margin: 0.01, Absolute: true, Direction: Decrease}
	if j := absolute.Judge(arms(10000, 0, 10000, 500), f); j.State != Breached || j.Relative {
		t.Errorf("absolute: %s", j.State)
	}
}

// Nobody failed and everybody failed: the clearest harm there is.
func TestGuardrailEverythingBreaks(t *testing.T) {
	strata := arms(200, 0, 200, 200)
	if j := (Guardrail{Margin: 0.1, Direction: Decrease}).Judge(strata, frozenBy(strata)); j.State != Breached {
		t.Errorf("0 against 200 of 200: %s, %v", j.State, j.Refused)
	}
}

// frozenBy freezes at the only look, as the calculator does.
func frozenBy(strata []Stratum) Frozen {
	f, _ := FreezeNow(strata)
	return f
}

func TestFreeze(t *testing.T) {
	for _, tt := range []struct {
		name   string
		strata []Stratum
		want   bool
	}{
		{"enough", arms(100, 30, 100, 30), true},
		{"99 units", arms(99, 30, 1000, 300), false},
		{"few outcomes", arms(10000, 10, 10000, 12), false},
		{"few without the outcome", arms(10000, 9990, 10000, 9995), false},
		{"nobody", nil, false},
		{"no variance", []Stratum{{Control: Mean(Moments{N: 200, Mean: 1}), Treatment: Mean(Moments{N: 200, Mean: 1})}}, false},
		{"impossible", arms(100, 101, 100, 1), false},
	} {
		if f, ok := Freeze(tt.strata); ok != tt.want || !ok && f != (Frozen{}) {
			t.Errorf("%s: %+v, %v, want %v", tt.name, f, ok, tt.want)
		}
	}
	two := append(arms(500, 50, 500, 50), arms(500, 250, 500, 250)...)
	f := frozen(t, two)
	if want := (499*2*500*0.1*0.9/499 + 499*2*500*0.25/499) / (499 * 4); !near(f.Variance, want, 1e-12) || f.ControlMean != 0.3 || f.Units != 2000 {
		t.Errorf("frozen %+v, want the variance %v within strata", f, want)
	}
}

func TestGuardrailRefuses(t *testing.T) {
	ok := arms(1000, 100, 1000, 100)
	f := frozen(t, ok)
	nan := math.NaN()
	for _, tt := range []struct {
		name   string
		g      Guardrail
		strata []Stratum
		f      Frozen
		code   Code
	}{
		{"margin 0 without detect", Guardrail{}, ok, f, BadInput},
		{"negative margin", Guardrail{Margin: -1}, ok, f, BadInput},
		{"NaN margin", Guardrail{Margin: nan}, ok, f, BadInput},
		{"infinite detect", Guardrail{Detect: math.Inf(1)}, ok, f, BadInput},
		{"alpha", Guardrail{Margin: 0.1, Alpha: 0.5}, ok, f, BadInput},
		{"power", Guardrail{Margin: 0.1, Power: 0.3}, ok, f, BadInput},
		{"direction", Guardrail{Margin: 0.1, Direction: "up"}, ok, f, BadInput},
		{"nothing frozen", Guardrail{Margin: 0.1}, ok, Frozen{}, TooFewUnits},
		{"frozen nonsense", Guardrail{Margin: 0.1}, ok, Frozen{Variance: nan}, BadInput},
		{"no data", Guardrail{Margin: 0.1}, nil, f, TooFewUnits},
		{"x above n", Guardrail{Margin: 0.1}, arms(10, 11, 10, 1), f, BadInput},
		{"one unit", Guardrail{Margin: 0.1}, arms(1, 1, 1, 0), f, ZeroVariance},
		{"no variance", Guardrail{Margin: 0.1}, arms(1000, 0, 1000, 0), f, ZeroVariance},
	} {
		j := tt.g.Judge(tt.strata, tt.f)
		if j.Refused == nil || j.Refused.Code != tt.code || j.State != Unknown || j.Breached || j.Harmed || j.Safe {
			t.Errorf("%s: %s, refused %v, want unknown, %s", tt.name, j.State, j.Refused, tt.code)
		}
		if _, err := json.Marshal(j); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSuccess(t *testing.T) {
	f := frozen(t, cookieDay7())
	s := Success{Direction: Increase, MDE: 0.04}
	if o := s.Judge(cookieDay7(), f); o.Verdict != Inferior || !(o.Bounds.High < 0) || o.P > 0.05 {
		t.Errorf("day 7: %s, p %v, %v, want inferior", o.Verdict, o.P, o.Bounds)
	}
	if o := s.Judge(cookieDay1(), frozen(t, cookieDay1())); o.Verdict != Inconclusive || !o.Bounds.Contains(0) {
		t.Errorf("day 1: %s, %v, want inconclusive", o.Verdict, o.Bounds)
	}
	s.Direction = Decrease
	if o := s.Judge(cookieDay7(), f); o.Verdict != Superior {
		t.Errorf("less is better: %s, want superior", o.Verdict)
	}
	for name, o := range map[string]Outcome{
		"no effect to detect": Success{}.Judge(cookieDay7(), f),
		"nothing frozen":      Success{MDE: 0.1}.Judge(cookieDay7(), Frozen{}),
		"no variance":         Success{MDE: 0.1}.Judge(arms(1000, 0, 1000, 0), f),
	} {
		if o.Refused == nil || o.Verdict != Inconclusive || o.P != 1 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestLimit(t *testing.T) {
	level := func(mean float64) []Stratum {
		return []Stratum{{Stage: "internal", Treatment: Mean(Moments{N: 2000, Mean: mean, M2: 1999 * 2500})}}
	}
	f, ok := FreezeTreated(level(190))
	if !ok {
		t.Fatal("nothing was frozen")
	}
	l := Limit{Value: 200, Direction: Decrease}
	for mean, want := range map[float64]State{190: Safe, 200: Unknown, 206: Breached} {
		if j := l.Judge(level(mean), f); j.State != want || !j.Bounds.Contains(mean) || j.Relative {
			t.Errorf("level %v: %s, %v, want %s", mean, j.State, j.Bounds, want)
		}
	}
	floor := Limit{Value: 0, Direction: Increase}
	if j := floor.Judge(level(-10), f); j.State != Breached {
		t.Errorf("level -10 with a least value of 0: %s", j.State)
	}
	for name, j := range map[string]Judgement{
		"NaN":            Limit{Value: math.NaN()}.Judge(level(1), f),
		"detect":         Limit{Detect: -1}.Judge(level(1), f),
		"direction":      Limit{Value: 1, Direction: "up"}.Judge(level(1), f),
		"nothing frozen": l.Judge(level(190), Frozen{}),
		"no data":        l.Judge(nil, f),
		"one unit":       l.Judge([]Stratum{{Treatment: Proportion(1, 1)}}, f),
		"impossible":     l.Judge([]Stratum{{Treatment: Proportion(1, 2)}}, f),
	} {
		if j.Refused == nil || j.State != Unknown {
			t.Errorf("%s: %s, refused %v", name, j.State, j.Refused)
		}
	}
	if _, ok := FreezeTreated([]Stratum{{Treatment: Proportion(99, 50)}}); ok {
		t.Error("frozen with 99 units")
	}
}

// Guardrails that share an error each have their part of it, and say so.
func TestGuardrailBudget(t *testing.T) {
	strata := arms(20000, 2000, 20000, 2400)
	f := frozen(t, strata)
	shared := Guardrail{Margin: 0.1, Direction: Decrease, Alpha: 0.05, Tests: 5}.Judge(strata, f)
	alone := Guardrail{Margin: 0.1, Direction: Decrease, Alpha: 0.01}.Judge(strata, f)
	if shared.Budget == nil || *shared.Budget != (Budget{Alpha: 0.05, Tests: 5}) || alone.Budget != nil {
		t.Errorf("budgets %v and %v", shared.Budget, alone.Budget)
	}
	if shared.Threshold != alone.Threshold || shared.Bounds != alone.Bounds || shared.Needed != alone.Needed {
		t.Errorf("a fifth of 5 %%: %v, %v, want those of 1 %%: %v, %v", shared.Threshold, shared.Bounds, alone.Threshold, alone.Bounds)
	}
	limit := Limit{Value: 0.11, Direction: Decrease, Tests: 2}.Judge(strata, f)
	if limit.Budget == nil || !near(limit.Threshold, -math.Log(0.025), 1e-12) {
		t.Errorf("half of 5 %%: %v, %v", limit.Budget, limit.Threshold)
	}
}

// With few units the t version answers: more carefully, never the other way. A
// proportion needs none, whose noise the hypothesis tells.
func TestGuardrailFewUnits(t *testing.T) {
	g := Guardrail{Margin: 0.1, Direction: Decrease}
	for _, n := range []int64{100, 150, 199, 200} {
		value := func(mean float64) Sample { return Mean(Moments{N: n, Mean: mean, M2: 0.16 * float64(n)}) }
		few := n < smallArm
		for kind, strata := range map[Kind][]Stratum{KindMean: {{Control: value(0.2), Treatment: value(0.75)}}, KindProportion: arms(n, n/5, n, n*3/4)} {
			f := frozen(t, strata)
			j := g.Judge(strata, f)
			y := measured(tallied(strata, f), false, f)
			s := y.beyond(0.1, 1)
			known := g.defaults().process(y, f).logOne(s.S, s.V)
			student, warning := few && kind == KindMean, warnSmall
			if student {
				warning = warnStudent
			}
			if (j.DF > 0) != student || student && !(j.LogBreach < known) || !student && j.LogBreach != known {
				t.Errorf("%s, %d units: log e %v with %v degrees of freedom, %v with a known variance", kind, n, j.LogBreach, j.DF, known)
			}
			if few != slices.Contains(j.Warnings, warning) || j.Breached != (j.Bounds.Low >= 0.1) {
				t.Errorf("%s, %d units: %q, %v beside %v", kind, n, j.Warnings, j.Breached, j.Bounds)
			}
		}
	}
}

// Each family of spending lets a harmless change pass, and its interval never
// contradicts it, at a look and between looks.
func TestLookFamilies(t *testing.T) {
	for _, s := range []groupseq.Spending{{}, {Family: groupseq.Pocock}, {Family: groupseq.Power, Rho: 2}, {Family: groupseq.HSD, Gamma: -4}} {
		n := NonInferiority{Size: 0.2, Direction: Increase, Spending: s}
		var looks []Look
		var e Exclusion
		f := frozen(t, arms(1000, 200, 1000, 200))
		for units := int64(1000); units < 40000 && !e.Ended; units += 500 {
			e = n.Look(arms(units, units/5, units, units/5), f, looks)
			if e.Taken != nil {
				looks = append(looks, *e.Taken)
			}
			if e.Excluded != (e.Bounds.Low >= -0.2) {
				t.Errorf("%+v, %d units: excluded %v beside %v", s, units, e.Excluded, e.Bounds)
			}
		}
		if !e.Excluded || len(looks) == 0 {
			t.Errorf("%+v: never excluded, after %d looks", s, len(looks))
		}
	}
	for field, s := range map[string]groupseq.Spending{"spending": {Family: "all"}, "rho": {Family: groupseq.Power}, "gamma": {Family: groupseq.HSD, Gamma: math.NaN()}} {
		e := NonInferiority{Size: 0.2, Spending: s}.Look(arms(1000, 200, 1000, 200), frozen(t, arms(1000, 200, 1000, 200)), nil)
		if e.Refused == nil || e.Refused.Field != field || e.Excluded {
			t.Errorf("%+v: %v", s, e.Refused)
		}
	}
}
