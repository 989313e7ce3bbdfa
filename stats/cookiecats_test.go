package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// cookieCats is the first-gate experiment of Cookie Cats (Tactile): 90,189
// players meet the first gate at level 30 (control) or at level 40. Retention
// is fully determined by eight counts, of players who came back on neither
// day, on day 7, on day 1, on both.
var cookieCats = struct{ control, treatment [4]int64 }{
	control:   [4]int64{22840, 1826, 13358, 6676},
	treatment: [4]int64{23597, 1773, 13613, 6506},
}

func cookieDay1() []Stratum {
	c, t := cookieCats.control, cookieCats.treatment
	return []Stratum{{Epoch: 1, Control: Proportion(total(c), c[2]+c[3]), Treatment: Proportion(total(t), t[2]+t[3])}}
}

func cookieDay7() []Stratum {
	c, t := cookieCats.control, cookieCats.treatment
	return []Stratum{{Epoch: 1, Control: Proportion(total(c), c[1]+c[3]), Treatment: Proportion(total(t), t[1]+t[3])}}
}

func total(x [4]int64) int64 { return x[0] + x[1] + x[2] + x[3] }

func near(got, want, within float64) bool { return math.Abs(got-want) <= within }

// Published: day-7 retention 19.02 % v 18.20 %, −0.82 points [−1.33, −0.31], z
// −3.164, p 0.00155; day-1 retention 44.82 % v 44.23 %, z −1.784, p 0.0744.
func TestCookieCatsCompare(t *testing.T) {
	c := Compare(cookieDay7(), Options{})
	if !near(c.Control.Mean, 0.1902, 5e-5) || !near(c.Treatment.Mean, 0.1820, 5e-5) {
		t.Errorf("means = %v, %v", c.Control.Mean, c.Treatment.Mean)
	}
	if !near(c.Estimate, -0.0082, 5e-5) || !near(c.Fixed.Low, -0.0133, 5e-5) || !near(c.Fixed.High, -0.0031, 5e-5) {
		t.Errorf("day 7: estimate %v, fixed %v", c.Estimate, c.Fixed)
	}
	if !near(c.Statistic, -3.164, 5e-4) || !near(c.P, 0.00155, 5e-6) {
		t.Errorf("day 7: z %v, p %v, want -3.164, 0.00155", c.Statistic, c.P)
	}
	c = Compare(cookieDay1(), Options{})
	if !near(c.Control.Mean, 0.4482, 5e-5) || !near(c.Treatment.Mean, 0.4423, 5e-5) ||
		!near(c.Statistic, -1.784, 5e-4) || !near(c.P, 0.0744, 5e-5) {
		t.Errorf("day 1: %v v %v, z %v, p %v, want 0.4482 v 0.4423, -1.784, 0.0744", c.Control.Mean, c.Treatment.Mean, c.Statistic, c.P)
	}
}

func cookieGuardrail() Guardrail {
	return Guardrail{Margin: 0, Detect: 0.04, Direction: Increase, Alpha: 0.05, Power: 0.8}
}

// The e-value of the whole data is 57. It is reached with the information to be
// sharpest at I* = ((z_0.95 + z_0.80)/(0.04 · 0.1902))² = 106,812, which the one-sided
// process tunes at twice the error: r = I*/(2 log 10 + log(1 + 2 log 10)) = 16,877;
// then z = −3.164 at I = 148,898, both with the variance of no effect, gives
// log 2 + ½ log(r/(r+I)) + S²/(2(r+I)) + log Φ(S/√(r+I)) = 4.046.
func TestCookieCatsGuardrail(t *testing.T) {
	f, ok := Freeze(cookieDay7())
	if !ok {
		t.Fatal("nothing was frozen")
	}
	j := cookieGuardrail().Judge(cookieDay7(), f)
	if e := math.Exp(j.LogBreach); j.State != Breached || !near(e, 57, 0.5) {
		t.Errorf("state %s, e %v, want breached, 57", j.State, e)
	}
	if j.LogBreach != j.LogHarm || !j.Harmed || j.Safe {
		t.Errorf("a margin of 0 is not the same as no harm: %+v", j)
	}
	// What the e-process needs is what one look does, times its inflation; the
	// treated are a little less noisy where the harm is there.
	process := Design{Metric: Expected{Kind: KindProportion, Level: 0.19}, Effect: -0.04, Side: Less, Inference: AlwaysValid}.Solve()
	if want := 106812 * process.Inflation; !near(j.Needed, want, 0.01*want) || !near(j.Information, 148898, 1) {
		t.Errorf("information %v of %v, want 148898 of %v", j.Information, j.Needed, want)
	}
	if !(j.Bounds.High < 0) || !j.Relative {
		t.Errorf("breached, but the bounds %v reach 0", j.Bounds)
	}
}

// Over random orders of the players with a look at every 1,000, the breach (two
// consecutive looks) comes between about 22 % and 89 % of them.
func TestCookieCatsOrders(t *testing.T) {
	const seed, orders, batch = 1, 200, 1000
	var shares []float64
	for i := range uint64(orders) {
		shares = append(shares, breachedAt(rand.New(rand.NewPCG(seed, i)), batch))
	}
	slices.Sort(shares)
	first, middle, last := shares[0], shares[orders/2], shares[orders-1]
	t.Logf("seed %d: breach at %.0f %% to %.0f %% of the players, middle %.0f %%; 5 %% %.0f %%, 95 %% %.0f %%",
		seed, 100*first, 100*last, 100*middle, 100*shares[orders/20], 100*shares[orders*19/20])
	if first < 0.02 || middle < 0.45 || middle > 0.75 || last > 1 {
		t.Errorf("breach at %v to %v, middle %v, want about 0.22 to 0.89, 0.59", first, last, middle)
	}
}

// breachedAt returns the share of players at which the second of two consecutive
// looks finds a breach, 2 if none does.
func breachedAt(r *rand.Rand, batch int) float64 {
	players := cookiePlayers()
	r.Shuffle(len(players), func(i, j int) { players[i], players[j] = players[j], players[i] })
	var n, x [2]int64
	var f Frozen
	frozen, before := false, false
	for i, p := range players {
		n[p&1]++
		x[p&1] += int64(p >> 1)
		if (i+1)%batch != 0 && i+1 != len(players) {
			continue
		}
		strata := []Stratum{{Control: Proportion(n[0], x[0]), Treatment: Proportion(n[1], x[1])}}
		if !frozen {
			f, frozen = Freeze(strata)
		}
		breached := cookieGuardrail().Judge(strata, f).Breached
		if breached && before {
			return float64(i+1) / float64(len(players))
		}
		before = breached
	}
	return 2
}

// cookiePlayers returns one byte for each player: bit 0 the arm, bit 1 day-7
// retention.
func cookiePlayers() []byte {
	var players []byte
	for arm, counts := range [][4]int64{cookieCats.control, cookieCats.treatment} {
		for k, n := range counts {
			for range n {
				players = append(players, byte(arm|(k&1)<<1))
			}
		}
	}
	return players
}

// Published: chi-square 6.902, p 0.0086. It fails at 0.01 and passes at 0.001.
func TestCookieCatsSampleRatio(t *testing.T) {
	m := SampleRatio([]Counts{{Observed: []int64{total(cookieCats.control), total(cookieCats.treatment)}, Weights: []float64{1, 1}}}, 0, 0)
	if !near(m.Statistic, 6.902, 5e-4) || !near(m.FixedP, 0.0086, 5e-5) || m.DF != 1 || m.Alarm {
		t.Errorf("chi-square %v, p %v, df %d, alarm %v", m.Statistic, m.FixedP, m.DF, m.Alarm)
	}
}

// The Udacity free-trial screener, clicks of the 23 days that have outcomes.
// Published: gross conversion −0.0206 [−0.0291, −0.0120]; net conversion −0.0049
// [−0.0116, +0.0019], not proven non-inferior at 0.0075.
func TestUdacity(t *testing.T) {
	gross := Compare([]Stratum{{Control: Proportion(17293, 3785), Treatment: Proportion(17260, 3423)}}, Options{})
	if !near(gross.Estimate, -0.0206, 5e-5) || !near(gross.Fixed.Low, -0.0291, 5e-5) || !near(gross.Fixed.High, -0.0120, 5e-5) {
		t.Errorf("gross conversion: %v %v", gross.Estimate, gross.Fixed)
	}
	net := []Stratum{{Control: Proportion(17293, 2033), Treatment: Proportion(17260, 1945)}}
	c := Compare(net, Options{})
	if !near(c.Estimate, -0.0049, 5e-5) || !near(c.Fixed.Low, -0.0116, 5e-5) || !near(c.Fixed.High, 0.0019, 5e-5) {
		t.Errorf("net conversion: %v %v", c.Estimate, c.Fixed)
	}
	f, _ := Freeze(net)
	if j := (Guardrail{Margin: 0.0075, Absolute: true, Direction: Increase}).Judge(net, f); j.State != Unknown {
		t.Errorf("net conversion at 0.0075 is %s, want unknown", j.State)
	}
	n := NonInferiority{Size: 0.0075, Absolute: true, Direction: Increase}
	if e := n.Anytime(net, f); e.Excluded {
		t.Errorf("net conversion is proven non-inferior at 0.0075: %+v", e)
	}
}
