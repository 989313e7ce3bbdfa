package flags

import (
	"encoding/json"
	"sync"

	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// targeting is an environment's compiled JSONLogic.
type targeting struct {
	rule    *jsonlogic.Rule // nil: it does not compile
	key     jsonlogic.Value // of the flag
	answers map[string]*outcome
	none    *outcome  // the default: the rule gave null
	failed  *outcome  // the rule could not be evaluated
	unknown *outcome  // the rule gave no variant's name
	inputs  sync.Pool // of *input: evaluating allocates no data of its own
}

// input is what one evaluation of a rule looks into.
type input struct {
	data   jsonlogic.Data
	fields [3]jsonlogic.Field
}

// targeting compiles an environment's rule, nil when there is none. One that
// does not compile answers with an error: Handle refuses it, but a log may
// hold what an older or newer version has let in.
func (k compiler) targeting(e Environment) *targeting {
	if len(e.Targeting) == 0 {
		return nil
	}
	t := &targeting{key: jsonlogic.TextOf(k.flag.Key), answers: make(map[string]*outcome, len(k.flag.Variants))}
	t.rule, _ = e.Targeting.Compile()
	for name := range k.flag.Variants {
		t.answers[name] = k.outcome(name, TargetingMatch, AtTargeting)
	}
	t.none = k.byDefault(DefaultReason)
	t.failed = k.failure(ParseError, AtTargeting)
	t.unknown = k.failure(General, AtTargeting)
	t.inputs.New = func() any { return new(input) }
	return t
}

// failure makes an answer that says what went wrong.
func (k compiler) failure(code ErrorCode, at Step) *outcome {
	r := k.result("", Errored, at)
	r.Error = code
	return k.counted(r)
}

// byDefault makes the default's answer. A default that the code has is never
// static, which would be the flag's.
func (k compiler) byDefault(reason Reason) *outcome {
	if k.flag.Default == "" {
		reason = DefaultReason
	}
	return k.outcome(k.flag.Default, reason, AtDefault)
}

// answer evaluates the rule.
func (t *targeting) answer(c *Context) *outcome {
	if t.rule == nil {
		return t.failed
	}
	in := t.inputs.Get().(*input)
	in.fill(t.key, c)
	v, err := t.rule.Evaluate(&in.data)
	in.data.Attributes = nil
	t.inputs.Put(in)
	if err != nil {
		return t.failed
	}
	if v.Kind() == jsonlogic.Null {
		return t.none
	}
	if o, ok := t.answers[variantOf(v)]; ok {
		return o
	}
	return t.unknown
}

// fill sets what flagd adds to a context. There is no timestamp when the
// caller does not say what time it is.
func (in *input) fill(key jsonlogic.Value, c *Context) {
	in.fields[0] = jsonlogic.Field{Name: TargetingKey}
	if c.TargetingKey != "" {
		in.fields[0].Value = jsonlogic.TextOf(c.TargetingKey)
	}
	in.fields[1] = jsonlogic.Field{Name: flagdKey, Value: key}
	in.fields[2] = jsonlogic.Field{Name: flagdTimestamp}
	if !c.Now.IsZero() {
		in.fields[2].Value = jsonlogic.NumberOf(float64(c.Now.Unix()))
	}
	in.data.Fields, in.data.Attributes = in.fields[:], c.Attributes
}

// variantOf returns the variant's name that a result stands for: true and
// false, and numbers, as JSON writes them.
func variantOf(v jsonlogic.Value) string {
	if name, ok := v.Text(); ok {
		return name
	}
	if is, ok := v.Bool(); ok && is {
		return "true"
	} else if ok {
		return "false"
	}
	n, ok := v.Number()
	if !ok {
		return ""
	}
	name, _ := json.Marshal(n) // an evaluation gives no number that cannot be written
	return string(name)
}
