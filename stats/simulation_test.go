package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tolerable is alpha plus three standard errors of a share of runs.
func tolerable(alpha float64, runs int) float64 {
	return alpha + 3*math.Sqrt(alpha*(1-alpha)/float64(runs))
}

// Without harm, a guardrail that is asked after every 50 units of each arm
// cries wolf in at most 5 % of rollouts; a fixed test at every look in far more.
func TestFalseAlarms(t *testing.T) {
	const seed, runs, looks = 21, 1000, 200
	for _, p := range []float64{0.02, 0.2} {
		alarms, naive := 0, 0
		for i := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, i))
			alarm, peeked := false, false
			var f Frozen
			var n, xc, xt int64
			ready := false
			for range looks {
				n, xc, xt = n+50, xc+binomial(r, 50, p), xt+binomial(r, 50, p)
				strata := arms(n, xc, n, xt)
				if !ready {
					f, ready = Freeze(strata)
				}
				j := cookieGuardrail().Judge(strata, f)
				alarm = alarm || j.Breached
				peeked = peeked || j.SE > 0 && -j.Estimate/j.SE > 1.645
			}
			alarms, naive = alarms+count(alarm), naive+count(peeked)
		}
		got, peek := float64(alarms)/runs, float64(naive)/runs
		t.Logf("seed %d, rate %v: e-process %.4f, fixed test at every look %.3f", seed, p, got, peek)
		if got > tolerable(0.05, runs) {
			t.Errorf("rate %v: false alarms in %v of runs, want at most 0.05", p, got)
		}
		if peek < 0.2 {
			t.Errorf("rate %v: peeking gave %v, so that this test shows nothing", p, peek)
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A ramp of 1, 5, 10, 25 and 50 % treatment while the baseline drifts upwards,
// without any effect: strata keep the error, pooling over them loses it.
func TestRampWithDrift(t *testing.T) {
	const seed, runs, batches = 22, 1500, 5
	g := Guardrail{Margin: 0, Detect: 0.05, Direction: Decrease}
	stratified, naive := 0, 0
	for i := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, i))
		var done []Stratum
		var pool Stratum
		var f Frozen
		ready, alarm, pooledAlarm := false, false, false
		for stage, share := range []float64{0.01, 0.05, 0.10, 0.25, 0.50} {
			p := 0.10 + 0.02*float64(stage)
			current := Stratum{Epoch: stage, Control: Proportion(0, 0), Treatment: Proportion(0, 0)}
			for range batches {
				nt := int64(4000 * share)
				c := Proportion(4000-nt, binomial(r, 4000-nt, p))
				tr := Proportion(nt, binomial(r, nt, p))
				current.Control, current.Treatment = current.Control.Merge(c), current.Treatment.Merge(tr)
				pool.Control, pool.Treatment = pool.Control.Merge(c), pool.Treatment.Merge(tr)
				strata := append(done[:len(done):len(done)], current)
				if !ready {
					f, ready = Freeze(strata)
				}
				alarm = alarm || g.Judge(strata, f).Breached
				pooledAlarm = pooledAlarm || g.Judge([]Stratum{pool}, f).Breached
			}
			done = append(done, current)
		}
		stratified, naive = stratified+count(alarm), naive+count(pooledAlarm)
	}
	got, pooled := float64(stratified)/runs, float64(naive)/runs
	t.Logf("seed %d: stratified %.4f, pooled %.3f", seed, got, pooled)
	if got > tolerable(0.05, runs) {
		t.Errorf("stratified: false alarms in %v of runs, want at most 0.05", got)
	}
	if pooled < 0.5 {
		t.Errorf("pooled: false alarms in %v of runs, so that this test shows nothing", pooled)
	}
}

// The order of strata and of merging is of no account.
func TestOrderOfStrata(t *testing.T) {
	strata := append(append(arms(1000, 110, 1000, 95), arms(4000, 700, 400, 60)...), arms(2500, 250, 2500, 301)...)
	f := frozen(t, strata)
	want := cookieGuardrail().Judge(strata, f)
	strata[0], strata[2] = strata[2], strata[0]
	got := cookieGuardrail().Judge(strata, f)
	if !near(got.Estimate, want.Estimate, 1e-15) || !near(got.LogHarm, want.LogHarm, 1e-12) {
		t.Errorf("in another order %v, %v, want %v, %v", got.Estimate, got.LogHarm, want.Estimate, want.LogHarm)
	}
}

// The clock never goes back while units are added at random.
func TestClockRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 1))
	f := Frozen{Variance: 0.1, ControlMean: 0.1}
	var n, xc, xt int64
	last := 0.0
	for range 500 {
		n, xc, xt = n+20, xc+binomial(r, 20, 0.1), xt+binomial(r, 20, 0.1)
		v := tallied(arms(n, xc, n, xt), f).against(0).V
		if v < last {
			t.Fatalf("clock went from %v to %v at %d units", last, v, n)
		}
		last = v
	}
}

// Failures at a rate of 1 to 1, looked at after each one; and assignments,
// looked at after every ten.
func TestFalseAlarmsOfCounts(t *testing.T) {
	const seed, runs = 24, 3000
	traffic := [2]float64{0.95, 0.05}
	failures, ratios := 0, 0
	for i := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, i))
		c := EventCounts{Traffic: traffic}
		alarm := false
		for range 300 {
			if r.Float64() < traffic[1] {
				c.Treatment++
			} else {
				c.Control++
			}
			alarm = alarm || c.logOne(1, EventConcentration) >= math.Log(20)
		}
		failures += count(alarm)
		ratios += count(ratioAlarm(r))
	}
	got, ratio := float64(failures)/runs, float64(ratios)/runs
	t.Logf("seed %d: failures %.4f, sample ratio %.4f", seed, got, ratio)
	if got > tolerable(0.05, runs) || ratio > tolerable(0.001, runs) {
		t.Errorf("false alarms of failures %v, of the sample ratio %v, want at most 0.05 and 0.001", got, ratio)
	}
}

// ratioAlarm assigns units over two epochs whose weights differ.
func ratioAlarm(r *rand.Rand) bool {
	epochs := []Counts{
		{Epoch: 1, Observed: []int64{0, 0}, Weights: []float64{0.9, 0.1}},
		{Epoch: 2, Observed: []int64{0, 0}, Weights: []float64{0.5, 0.5}},
	}
	for k := range epochs {
		for range 50 {
			x := binomial(r, 10, epochs[k].Weights[1])
			epochs[k].Observed[0] += 10 - x
			epochs[k].Observed[1] += x
			if SampleRatio(epochs[:k+1], 0, 0).Alarm {
				return true
			}
		}
	}
	return false
}
