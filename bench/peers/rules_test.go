package peers

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
)

var (
	seed  = flag.Uint64("seed", 1, "of the random tests")
	rules = flag.Int("rules", 20000, "random rules to compare")
)

// ruleMaker makes random rules and data in which they find something.
type ruleMaker struct{ *rand.Rand }

func (g ruleMaker) text(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // unreachable unless a maker makes what is no JSON
	}
	return b
}

func (g ruleMaker) one(list ...any) any { return list[g.IntN(len(list))] }

// scalar is a value that many rules have an opinion on.
func (g ruleMaker) scalar() any {
	return g.one("", "a", "b", "abc", " a ", "5", "1.5", "x5", "0", 0.0, 1.0, 2.0, -1.0, 5.0, 1.5, 100.0, true, false, nil)
}

func (g ruleMaker) name() string {
	return g.one("a", "b", "list", "obj", "obj.x", "list.0", "list.1", "list.x", "objs", "none", "a.b", "x", "", "objs.0.x").(string)
}

func (g ruleMaker) data() map[string]any {
	m := map[string]any{}
	for _, name := range []string{"a", "b", "x"} {
		if g.IntN(3) > 0 {
			m[name] = g.scalar()
		}
	}
	if g.IntN(4) > 0 {
		m["list"] = g.scalars()
	}
	if g.IntN(3) > 0 {
		m["obj"] = map[string]any{"x": g.scalar(), "y": g.scalar()}
	}
	if g.IntN(3) > 0 {
		m["objs"] = []any{map[string]any{"x": g.scalar(), "y": 1.0}, map[string]any{"x": g.scalar(), "a": g.scalar()}}
	}
	return m
}

func (g ruleMaker) scalars() []any {
	out := make([]any, g.IntN(4))
	for i := range out {
		out[i] = g.scalar()
	}
	return out
}

func (g ruleMaker) op(name string, args ...any) any { return map[string]any{name: args} }

// rule makes an operator with operands that are rules themselves.
func (g ruleMaker) rule(depth int) any {
	if depth == 0 || g.IntN(6) == 0 {
		return g.leaf()
	}
	sub := func() any { return g.rule(depth - 1) }
	switch g.IntN(12) {
	case 0, 1:
		return g.op(g.one("if", "?:").(string), sub(), sub(), sub())
	case 2:
		return g.op("if", sub(), sub(), sub(), sub())
	case 3, 4:
		return g.op(g.one("==", "!=", "===", "!==", "<", "<=", ">", ">=").(string), sub(), sub())
	case 5:
		return g.op(g.one("<", "<=", ">", ">=").(string), sub(), sub(), sub())
	case 6:
		return g.op(g.one("and", "or").(string), sub(), sub())
	case 7:
		return g.one(g.op(g.one("!", "!!").(string), sub()), map[string]any{g.one("!", "!!").(string): sub()})
	case 8:
		return g.op(g.one("+", "-", "*", "/", "%", "max", "min").(string), g.operands(sub)...)
	case 9:
		return g.text9(sub)
	}
	return g.lists(sub)
}

func (g ruleMaker) operands(sub func() any) []any {
	out := make([]any, g.IntN(4))
	for i := range out {
		out[i] = g.one(sub(), g.scalar(), g.scalar())
	}
	return out
}

func (g ruleMaker) leaf() any {
	switch g.IntN(5) {
	case 0:
		return g.op("var", g.name(), g.scalar())
	case 1:
		return g.scalar()
	case 2:
		return g.op("var", g.name())
	}
	return map[string]any{"var": g.name()}
}

func (g ruleMaker) text9(sub func() any) any {
	switch g.IntN(4) {
	case 0:
		return g.op("cat", g.operands(sub)...)
	case 1:
		return g.op("substr", sub(), float64(g.IntN(7)-3))
	case 2:
		return g.op("substr", sub(), float64(g.IntN(7)-3), float64(g.IntN(7)-3))
	}
	return g.op("in", sub(), sub())
}

func (g ruleMaker) lists(sub func() any) any {
	subject := g.one(map[string]any{"var": "list"}, map[string]any{"var": "objs"}, g.scalars(), sub())
	switch g.IntN(9) {
	case 0:
		return g.op("in", sub(), g.one(g.scalars(), []any{[]any{0.0, 3.0}, "a"}))
	case 1:
		return g.op("merge", g.operands(sub)...)
	case 2:
		return g.op("missing", g.name(), g.name())
	case 3:
		return g.op("missing_some", float64(g.IntN(3)), []any{g.name(), g.name()})
	case 4:
		return g.op("reduce", subject, g.op(g.one("+", "cat", "max", "and").(string), map[string]any{"var": "current"}, map[string]any{"var": "accumulator"}), g.scalar())
	}
	return g.op(g.one("filter", "map", "all", "some", "none").(string), subject, sub())
}
