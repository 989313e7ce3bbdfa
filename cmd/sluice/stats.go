package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/sluice-hq/sluice/stats/calculator"
)

// statsCmd is the calculator: what the engine uses, for anybody's numbers. Each
// command reads one JSON object from standard input.
type statsCmd struct {
	Compare   compareCmd   `cmd:"" help:"Treatment against control: estimate, interval, p-value or posterior."`
	Guardrail guardrailCmd `cmd:"" help:"Whether treatment is worse than control by more than a margin."`
	Events    failuresCmd  `cmd:"" help:"Whether treatment fails more than control: errors, crashes, timeouts."`
	Srm       srmCmd       `cmd:"" help:"Whether the arms got the units that their weights promise."`
	Adjust    adjustCmd    `cmd:"" help:"Many tests taken together: p-values or e-values."`
	Power     planCmd      `cmd:"" help:"Units, power or the smallest effect of an experiment to come."`
	Boundary  boundaryCmd  `cmd:"" help:"Bounds of a test that is looked at several times."`
}

// calculation is one question to the calculator.
type calculation struct {
	Output string `short:"o" enum:"table,json,yaml" default:"json" help:"table, json or yaml."`
}

type (
	compareCmd   struct{ calculation }
	guardrailCmd struct{ calculation }
	failuresCmd  struct{ calculation }
	srmCmd       struct{ calculation }
	adjustCmd    struct{ calculation }
	planCmd      struct{ calculation }
	boundaryCmd  struct{ calculation }
)

// Help shows a question.
func (compareCmd) Help() string {
	return `Two groups, of which so many came back:

  echo '{"control":   {"type": "proportion", "n": 44700, "sum": 8502},
         "treatment": {"type": "proportion", "n": 45489, "sum": 8279}, "relative": true}' | sluice stats compare -o table`
}

// Help shows a question.
func (guardrailCmd) Help() string {
	return `Is a loss of more than 2 % shown, or excluded?

  echo '{"control":   {"type": "proportion", "n": 44700, "sum": 8502},
         "treatment": {"type": "proportion", "n": 45489, "sum": 8279}, "margin": 0.02}' | sluice stats guardrail -o table`
}

// Help shows a question.
func (failuresCmd) Help() string {
	return `Seven units failed that have the new version, and none of the others:

  echo '{"counts": [0, 7], "traffic": [0.5, 0.5]}' | sluice stats events -o table`
}

// Help shows a question.
func (srmCmd) Help() string {
	return `Two arms of equal weight, looked at as often as you like:

  echo '{"observed": [44700, 45489], "weights": [1, 1], "method": "sequential"}' | sluice stats srm -o table`
}

// Help shows a question.
func (adjustCmd) Help() string {
	return `Three metrics, none of which is to be called a success by chance:

  echo '{"p": [0.01, 0.03, 0.2], "method": "holm"}' | sluice stats adjust -o table`
}

// Help shows a question.
func (planCmd) Help() string {
	return `How many units see a change of 5 % of a conversion of 19 %?

  echo '{"metric": {"kind": "proportion", "rate": 0.19}, "effect": 0.05}' | sluice stats power -o table`
}

// Help shows a question.
func (boundaryCmd) Help() string {
	return `Five looks at equal steps, with hardly any error spent on the first:

  echo '{"alpha": 0.025, "looks": 5, "spending": "obrien-fleming", "beta": 0.2}' | sluice stats boundary -o table`
}

// Run answers the question on standard input.
func (c compareCmd) Run() error { return c.answer("compare") }

// Run answers the question on standard input.
func (c guardrailCmd) Run() error { return c.answer("guardrail") }

// Run answers the question on standard input.
func (c failuresCmd) Run() error { return c.answer("events") }

// Run answers the question on standard input.
func (c srmCmd) Run() error { return c.answer("srm") }

// Run answers the question on standard input.
func (c adjustCmd) Run() error { return c.answer("adjust") }

// Run answers the question on standard input.
func (c planCmd) Run() error { return c.answer("power") }

// Run answers the question on standard input.
func (c boundaryCmd) Run() error { return c.answer("boundary") }

// answer reads one JSON object and writes the answer. A refusal is an answer
// too, with exit status 1.
func (c calculation) answer(command string) error {
	in, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	answer, refused := calculator.Answer(command, in)
	err = output(c).write(json.RawMessage(answer), calculated(in, answer).write)
	if err == nil && refused != nil {
		err = exit(exitError)
	}
	return err
}
