package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/groupseq"
)

// pictured is how many rollouts a picture is made of.
const pictured = 300

// pictures are drawn from the same rollouts that the tables are made of.
var pictures = []struct {
	file string
	draw func() chart
}{
	{"peeking.svg", peeking},
	{"false-alarms.svg", falseAlarms},
	{"ramp.svg", rampAlarms},
	{"time-to-detect.svg", timeToDetect},
	{"bounds.svg", bounding},
}

// drawAll draws every picture into the folder.
func drawAll(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the folder of pictures: %w", err)
	}
	for _, p := range pictures {
		if err := os.WriteFile(filepath.Join(folder, p.file), []byte(p.draw().SVG()), 0o644); err != nil {
			return fmt.Errorf("drawing: %w", err)
		}
	}
	return nil
}

// tested is the metric of the pictures.
var tested = conversion("conversion 20 %", 0.2)

func thousands(x float64) string { return strconv.FormatFloat(x/1000, 'f', -1, 64) + "k" }

func percents(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }

func unitsAxis(top float64) axis {
	a := axis{label: "units of both arms", top: top, tell: thousands}
	for i := range 6 {
		a.ticks = append(a.ticks, top*float64(i)/5)
	}
	return a
}

// peeking is the intervals of one rollout whose arms are equal, in which the
// fixed interval leaves zero on the way.
func peeking() chart {
	const seed, run, most = 1, 69, 20_000
	c := chart{title: "One rollout of equal arms, looked at all the time",
		says: "The 95 % interval of one look leaves zero in between, although nothing differs. The always-valid interval is wider and does not.",
		x:    unitsAxis(most),
		y:    axis{label: "treatment against control", low: -0.2, top: 0.2, ticks: []float64{-0.2, -0.1, 0, 0.1, 0.2}, tell: percents}}
	var band, fixed [2][]point
	var estimate []point
	g := stats.Guardrail{Detect: detect, Direction: tested.better}
	var f first
	even(tested, most, 0).walk(rand.New(rand.NewPCG(seed, run)), func(units int64, strata []stats.Stratum) bool {
		if f.look(strata) {
			j, x := g.Judge(strata, f.frozen), float64(units)
			band[0], band[1] = append(band[0], point{x, j.Band.Low}), append(band[1], point{x, j.Band.High})
			fixed[0], fixed[1] = append(fixed[0], point{x, j.Fixed.Low}), append(fixed[1], point{x, j.Fixed.High})
			estimate = append(estimate, point{x, j.Estimate})
		}
		return true
	})
	c.lines = []line{
		{label: "always valid", colour: sound, at: band[0], below: backwards(band[1])},
		{label: "valid at one look", colour: loose, at: fixed[0], below: backwards(fixed[1])},
		{label: "estimate", colour: plain, at: estimate},
		{colour: plain, dashed: true, at: []point{{0, 0}, {most, 0}}},
	}
	return c
}

// ended is after how many units methods first were wrong; infinite if never.
type ended struct{ process, fixed, pooled float64 }

// until walks through a rollout of equal arms.
func (w rollout) until(r *rand.Rand) ended {
	at := ended{math.Inf(1), math.Inf(1), math.Inf(1)}
	g := stats.Guardrail{Detect: detect, Direction: w.from.better}
	var f first
	w.walk(r, func(units int64, strata []stats.Stratum) bool {
		if !f.look(strata) {
			return true
		}
		x := float64(units)
		j := g.Judge(strata, f.frozen)
		at.process = sooner(at.process, x, j.Breached)
		at.fixed = sooner(at.fixed, x, !j.Fixed.Contains(0))
		at.pooled = sooner(at.pooled, x, g.Judge(pooled(strata), f.frozen).Breached)
		return true
	})
	return at
}

func sooner(at, now float64, happened bool) float64 {
	if happened {
		return min(at, now)
	}
	return at
}

// cumulated returns the share of the rollouts that had ended after so many
// units.
func cumulated(all []ended, top float64, of func(ended) float64) []point {
	var out []point
	for i := range 101 {
		x := top * float64(i) / 100
		out = append(out, point{x, share(all, func(e ended) bool { return of(e) <= x })})
	}
	return out
}

func alarmChart(title, says string, top float64) chart {
	return chart{title: title, says: says, x: unitsAxis(top),
		y: axis{label: "rollouts with a false alarm so far", top: 1, ticks: []float64{0, 0.05, 0.25, 0.5, 0.75, 1}, tell: percents}}
}

func falseAlarms() chart {
	const top = 50_000
	all := repeat(2, pictured, func(r *rand.Rand) ended { return even(tested, top, 0).until(r) })
	c := alarmChart("False alarms of equal arms, with a look after every 100 units",
		"Who looks at the fixed interval all the time sees it leave zero in ever more rollouts. The guardrail stays below 5 %.", top)
	c.lines = []line{
		{label: "fixed interval leaves zero", colour: loose, at: cumulated(all, top, func(e ended) float64 { return e.fixed })},
		{label: "guardrail breached", colour: sound, at: cumulated(all, top, func(e ended) float64 { return e.process })},
		{label: "promised", colour: plain, dashed: true, at: []point{{0, 0.05}, {top, 0.05}}},
	}
	return c
}

func rampAlarms() chart {
	const top = 50_000
	w := ramp(tested, top, 0.5)
	w.from.better = stats.Decrease // the treated come later, when all have more
	all := repeat(3, pictured, func(r *rand.Rand) ended { return w.until(r) })
	c := alarmChart("False alarms over a ramp from 1 to 50 %, baseline growing by half",
		"Taken for one, the stages of a ramp make a difference of what is only the time of day. Compared stage by stage they do not.", top)
	c.lines = []line{
		{label: "stages taken for one", colour: loose, at: cumulated(all, top, func(e ended) float64 { return e.pooled })},
		{label: "stage by stage", colour: sound, at: cumulated(all, top, func(e ended) float64 { return e.process })},
		{label: "promised", colour: plain, dashed: true, at: []point{{0, 0.05}, {top, 0.05}}},
	}
	return c
}

func timeToDetect() chart {
	c := chart{title: "Units until harm is established, by its size",
		says: "The larger the harm the sooner it is found: within a few hundred units when half of the conversions are gone.",
		x:    axis{label: "harm, in margins of 10 % (conversion 20 %)", low: 1.2, top: 8, log: true, ticks: []float64{1.5, 2, 3, 5, 8}, tell: func(x float64) string { return fmt.Sprintf("× %g", x) }},
		y:    axis{label: "units of both arms", low: 100, top: 100_000, log: true, ticks: []float64{100, 1000, 10_000, 100_000}, tell: func(x float64) string { return fmt.Sprintf("%.0f", x) }}}
	g := stats.Guardrail{Margin: margin, Direction: tested.better}
	half := map[string][]point{}
	for i, size := range []float64{1.5, 2, 3, 4, 5, 6.5, 8} {
		all := repeat(uint64(40+i), pictured, func(r *rand.Rand) found { return even(tested, 100_000, tested.worse(size*margin)).found(r, g) })
		harm, breach := times(all, func(f found) float64 { return f.harm }), times(all, func(f found) float64 { return f.breach })
		half["harm"] = append(half["harm"], point{size, quantile(harm, 0.5)})
		half["breach"] = append(half["breach"], point{size, quantile(breach, 0.5)})
		half["late"] = append(half["late"], point{size, quantile(breach, 0.9)})
	}
	c.lines = []line{
		{label: "worse than the margin: half of the rollouts", colour: loose, at: half["breach"]},
		{label: "nine of ten", colour: loose, dashed: true, at: half["late"]},
		{label: "worse at all: half", colour: sound, at: half["harm"]},
	}
	return c
}

// bounding is what Z must exceed at a look, by how the error is spent.
func bounding() chart {
	c := chart{title: "What Z must exceed to exclude harm, with an error of 5 %",
		says: "O'Brien-Fleming spending asks for much at first and for little more than one look at the end, Pocock spending for about the same at every look, the e-process for the most at the end, at looks that nobody planned.",
		x:    axis{label: "share of the planned information", top: 1, ticks: []float64{0, 0.25, 0.5, 0.75, 1}, tell: percents},
		y:    axis{label: "Z", low: 1, top: 6, ticks: []float64{1, 2, 3, 4, 5, 6}, tell: func(x float64) string { return fmt.Sprintf("%.0f", x) }}}
	c.lines = []line{
		{label: "O'Brien-Fleming spending", colour: sound, at: spending(groupseq.OBrienFleming)},
		{label: "Pocock spending", colour: sound, dashed: true, at: spending(groupseq.Pocock)},
		{label: "e-process", colour: loose, at: always()},
		{label: "one look", colour: plain, dashed: true, at: []point{{0, oneLook}, {1, oneLook}}},
	}
	return c
}

// spending is the bounds of twenty looks, where they are in the picture.
func spending(family groupseq.Family) (at []point) {
	d := groupseq.Design{Alpha: 0.05, Spending: groupseq.Spending{Family: family}}
	for i := range 20 {
		d.Information = append(d.Information, float64(i+1)/20)
	}
	b, _ := d.Boundary() // its information grows and its error is one
	for i, z := range b.Z {
		if z <= 6 {
			at = append(at, point{b.Information[i], z})
		}
	}
	return at
}

// always is what the e-process asks for as units come.
func always() (at []point) {
	n := stats.NonInferiority{Size: margin, Direction: stats.Decrease}
	arm := func(units int64) stats.Sample { return stats.Proportion(units, units/5) }
	f, _ := stats.Freeze([]stats.Stratum{{Control: arm(1000), Treatment: arm(1000)}})
	for units := int64(200); ; units += 100 {
		e := n.Anytime([]stats.Stratum{{Control: arm(units), Treatment: arm(units)}}, f)
		if e.Fraction > 1 || e.Refused != nil {
			return at
		}
		at = append(at, point{e.Fraction, e.Critical})
	}
}
