package calculator

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// asker makes up questions.
type asker struct{ *rand.Rand }

// object joins the members that are given.
func object(members ...string) string {
	return "{" + strings.Join(slices.DeleteFunc(members, func(m string) bool { return m == "" }), ", ") + "}"
}

// maybe gives a member in one of so many questions.
func (g asker) maybe(one int, name string, value any) string {
	if g.IntN(one) > 0 {
		return ""
	}
	return g.always(name, value)
}

func (g asker) always(name string, value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // unreachable unless a number was made up that is none
	}
	if g.IntN(400) == 0 { // now and then it is something else
		text = []byte(one(g, "null", `"x"`, "-1", "0", "1e999", "1e-320", "[]", "{}", "true", "0.5"))
	}
	return fmt.Sprintf("%q: %s", name, text)
}

func one[T any](g asker, of ...T) T { return of[g.IntN(len(of))] }

// count is a number of units of any size, and often a bad one.
func (g asker) count() int64 {
	return one(g, int64(g.IntN(4)), int64(g.IntN(300)), int64(g.IntN(300)), int64(g.IntN(1e6)), int64(g.IntN(1e6)), int64(g.IntN(1<<40)))
}

// size is a number of any magnitude.
func (g asker) size() float64 {
	return one(g, 0, 1, g.NormFloat64(), g.NormFloat64(), 1e9+g.NormFloat64(), math.Exp(20*g.NormFloat64()), -math.Exp(5*g.NormFloat64()))
}

func (g asker) alpha() float64 { return one(g, 0.05, 0.1, 0.001, g.Float64(), 1e-12) }

func (g asker) effect() float64 {
	return one(g, 0.01, 0.1, g.Float64(), 5*g.Float64(), g.NormFloat64())
}

func (g asker) question(command string) string {
	switch command {
	case "compare":
		return object(g.data(), g.maybe(2, "relative", true), g.maybe(3, "alpha", g.alpha()), g.maybe(3, "side", one(g, "two", "greater", "less")),
			g.maybe(2, "inference", one(g, "fixed", "always-valid", "bayes", "linear-model")), g.maybe(6, "n_star", math.Exp(10*g.Float64())), g.maybe(6, "margin", g.Float64()),
			g.maybe(6, "covariate", one(g, "arm-specific", "pooled", "none")), g.maybe(3, "compat", one(g, "gbstats", "posthog", "statsig", "eppo", "spotify")))
	case "guardrail":
		return object(g.data(), g.always("margin", math.Abs(g.effect())), g.maybe(4, "absolute", true), g.maybe(3, "alpha", g.alpha()),
			g.maybe(2, "direction", one(g, "increase", "decrease")), g.maybe(4, "detect", g.Float64()), g.maybe(6, "power", g.Float64()))
	case "events":
		return object(g.always("counts", []int64{g.count(), g.count()}), g.maybe(2, "traffic", []float64{g.weight(), g.weight()}),
			g.maybe(3, "margin", 1+3*g.Float64()), g.maybe(4, "k", math.Exp(3*g.NormFloat64())), g.maybe(3, "alpha", g.alpha()))
	case "srm":
		return g.srm()
	case "adjust":
		return g.adjust()
	case "power":
		return g.power()
	}
	return g.boundary()
}

func (g asker) weight() float64 { return one(g, 1, 0.5, g.Float64(), 100*g.Float64()) }

// data is two arms, or strata of them.
func (g asker) data() string {
	kind := one(g, "mean", "proportion", "ratio", "cluster", "quantile", "events", "mean before", "ratio before", "cluster before")
	nu := g.Float64()
	two := func() string { return `"control": ` + g.arm(kind, nu) + `, "treatment": ` + g.arm(kind, nu) }
	if g.IntN(4) > 0 {
		return two()
	}
	strata := make([]string, 1+g.IntN(3))
	for i := range strata {
		strata[i] = "{" + two() + "}"
	}
	return `"strata": [` + strings.Join(strata, ", ") + "]"
}

func (g asker) arm(kind string, nu float64) string {
	n := g.count()
	switch kind {
	case "proportion":
		return object(`"type": "proportion"`, g.always("n", n), g.always("sum", one(g, 0, n, int64(float64(n)*g.Float64()))))
	case "events":
		return object(`"type": "events"`, g.always("count", n), g.always("exposure", math.Exp(5*g.NormFloat64())))
	case "quantile":
		at, low, high := g.size(), math.Abs(g.size()), math.Abs(g.size())
		return object(`"type": "quantile"`, g.always("n", n), g.maybe(2, "n_star", 1+n/2), g.always("nu", nu),
			g.always("quantile_hat", at), g.always("lower", at-low), g.always("upper", at+high))
	}
	kind, before, _ := strings.Cut(kind, " ")
	a := &arm{kind: kind, have: map[string]json.RawMessage{}}
	if before != "" {
		for _, key := range []string{"post_sum", "post_num_sum", "pre_sum"} {
			a.have[key] = json.RawMessage("0")
		}
	}
	return g.sums(kind, n, a.shape())
}

// sums are those of n units whose values depend on each other.
func (g asker) sums(kind string, n int64, s shape) string {
	k, x := len(s.values), float64(n)
	mean, sd := make([]float64, k), make([][]float64, k)
	for i := range k {
		mean[i], sd[i] = g.size(), make([]float64, k)
		for j := range i + 1 {
			sd[i][j] = one(g, 0, g.NormFloat64(), g.size())
		}
	}
	product := func(i, j int) float64 {
		sum := x * mean[i] * mean[j]
		for l := range k {
			sum += x * sd[i][l] * sd[j][l]
		}
		return sum
	}
	members := []string{fmt.Sprintf("%q: %q", "type", kind), g.always(s.units, n)}
	for i, v := range s.values {
		members = append(members, g.always(v.sum, x*mean[i]), g.always(v.squares, product(i, i)))
		for j := i + 1; j < k; j++ {
			members = append(members, g.always(v.name+"_"+s.values[j].name+s.product, product(i, j)))
		}
	}
	return object(members...)
}

func (g asker) srm() string {
	arms := 2 + g.IntN(3)
	counts, weights := make([]int64, arms), make([]float64, arms)
	for i := range arms {
		counts[i], weights[i] = g.count(), one(g, g.weight(), 1, 1, 0)
	}
	shared := []string{g.always("weights", weights), g.maybe(2, "method", one(g, "chi-square", "sequential")), g.maybe(4, "k", math.Exp(3*g.NormFloat64())), g.maybe(4, "alpha", g.alpha())}
	if g.IntN(4) == 0 {
		data := make([]int, g.IntN(20))
		for i := range data {
			data[i] = g.IntN(arms)
		}
		return object(append(shared, g.always("data", data), g.maybe(3, "dirichlet_alpha", math.Exp(3*g.NormFloat64())))...)
	}
	return object(append(shared, g.always("observed", counts))...)
}

func (g asker) adjust() string {
	values := make([]float64, 1+g.IntN(12))
	name, method := "p", g.maybe(2, "method", one(g, "bonferroni", "holm", "hochberg", "bh", "by"))
	for i := range values {
		values[i] = one(g, g.Float64(), math.Pow(g.Float64(), 20), 0, 1)
	}
	if g.IntN(4) == 0 {
		name, method = "e", g.maybe(2, "method", "ebh")
		for i := range values {
			values[i] = math.Exp(10 * g.NormFloat64())
		}
	}
	return object(g.always(name, values), method, g.maybe(2, "alpha", g.alpha()))
}

func (g asker) power() string {
	kind := one(g, "proportion", "mean", "ratio", "cluster", "quantile", "events")
	metric := []string{fmt.Sprintf("%q: %q", "kind", kind)}
	switch kind {
	case "proportion", "events":
		metric = append(metric, g.always("rate", g.Float64()))
	default:
		metric = append(metric, g.always("mean", g.size()), g.always("sd", math.Abs(g.size())), g.maybe(4, "explained", g.Float64()),
			g.maybe(4, "cluster", map[string]float64{"mean": 1 + 10*g.Float64(), "icc": g.Float64()}))
	}
	return object(`"metric": `+object(metric...), g.maybe(1, "effect", g.effect()), g.maybe(3, "absolute", true), g.maybe(4, "margin", g.Float64()),
		g.maybe(3, "alpha", g.alpha()), g.maybe(4, "side", one(g, "two", "greater", "less")), g.maybe(4, "arms", 2+g.IntN(4)),
		g.maybe(2, "n", 1+math.Exp(12*g.Float64())), g.maybe(3, "power", 0.5+g.Float64()/2), g.maybe(3, "inference", one(g, "fixed", "always-valid", "group-sequential")),
		g.maybe(6, "looks", 1+g.IntN(20)))
}

func (g asker) boundary() string {
	times := []float64{}
	for at := g.Float64(); len(times) < 12 && at < 1.3; at += g.Float64() / 3 {
		times = append(times, at)
	}
	shared := []string{g.maybe(2, "alpha", g.alpha()), g.maybe(2, "sides", 1+g.IntN(2)), g.maybe(3, "beta", g.Float64()/2)}
	if g.IntN(3) == 0 {
		return object(append(shared, g.always("design", one(g, "pocock", "obrien-fleming")), g.always("looks", 1+g.IntN(10)))...)
	}
	spending := one(g, "", `"spending": "pocock"`, `"spending": "obrien-fleming"`, `"spending": "power", "rho": 3`, `"spending": "hsd", "gamma": -2`)
	stopped := g.maybe(4, "stopped", map[string]float64{"look": float64(1 + g.IntN(3)), "z": 3 * g.NormFloat64()})
	return object(append(shared, spending, stopped, g.always("information", times))...)
}
