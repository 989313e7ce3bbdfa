package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/stats/calculator"
)

// statsCmd is the calculator: what the engine uses, for anybody's numbers.
type statsCmd struct {
	Command string `arg:"" help:"compare, guardrail, events or srm."`
	Output  string `short:"o" enum:"table,json,yaml" default:"json" help:"table, json or yaml."`
}

// Help says what the question looks like.
func (statsCmd) Help() string {
	return `The question is one JSON object on standard input. Two groups, of which so many came back:

  echo '{"control":   {"type": "proportion", "n": 44700, "sum": 8502},
         "treatment": {"type": "proportion", "n": 45489, "sum": 8279}}' | sluice stats compare -o table`
}

// Run reads one JSON object and writes the answer. A refusal is an answer too,
// with exit status 1.
func (c statsCmd) Run() error {
	in, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	answer, refused := calculator.Answer(c.Command, in)
	shares := bytes.Contains(in, []byte(`"proportion"`))
	err = output{c.Output}.write(json.RawMessage(answer), func(w io.Writer) {
		for _, f := range fields(answer) {
			fmt.Fprintf(w, "%s\t%s\n", f.name, f.text(shares))
		}
	})
	if err == nil && refused != nil {
		err = exit(exitError)
	}
	return err
}

// field is one member of an answer.
type field struct {
	name  string
	value any
}

// fields lists the members of a JSON object in their order, a list once for
// each of its items.
func fields(object []byte) []field {
	d := json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token() // the bracket: the calculator writes objects alone
	var all []field
	for d.More() {
		name, _ := d.Token()
		var value any
		if d.Decode(&value) != nil {
			return all // unreachable unless the calculator writes no JSON
		}
		list, many := value.([]any)
		if !many {
			list = []any{value}
		}
		for _, v := range list {
			all = append(all, field{fmt.Sprint(name), v})
		}
	}
	return all
}

// text writes a member for people: the level of an arm as 19.02 % when it is a
// share of units, other numbers with four digits.
func (f field) text(shares bool) string {
	switch v := f.value.(type) {
	case float64:
		if shares && strings.HasSuffix(f.name, "_mean") {
			return fmt.Sprintf("%.2f %%", 100*v)
		}
		return strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "-", "−", 1)
	case nil:
		return "–"
	case string:
		return v
	}
	b, _ := json.Marshal(f.value) // what came out of JSON goes back into it
	return string(b)
}
