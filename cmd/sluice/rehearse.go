package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/server"
)

// rehearseCmd carries a plan out before anybody is exposed.
type rehearseCmd struct {
	client
	rehearseWhat
	File    []string `arg:"" help:"YAML or JSON files with the plan, and what it names that the server does not have yet; directories of such files, or - for standard input."`
	Seeds   int      `help:"Runs of each scenario." default:"20"`
	Seed    uint64   `help:"Of the first run; the others follow it." default:"1"`
	Events  string   `help:"Recorded events to rehearse on: lines of JSON as services send them, or what --map makes of them." placeholder:"FILE"`
	Map     string   `help:"Document of kind Import: which events a row of --events becomes." placeholder:"FILE"`
	Days    int      `help:"How many days of the server's past tell who will come and what they do." default:"14"`
	Traffic string   `help:"Flag whose exposures tell who will come, for a flag that nobody has met yet."`
	Offline bool     `help:"Ask no server: the files say everything."`

	Policies []string `help:"Files with documents of kind Policy that the plan has to keep; only with --offline: a server has its own." placeholder:"FILE" sep:"none"`
	Output   string   `short:"o" enum:"table,json,yaml,md" default:"table" help:"table, json, yaml or md."`
}

// rehearseWhat is what is said of a rehearsal in place of a document of kind
// Rehearsal.
type rehearseWhat struct {
	Scenario []string       `short:"s" help:"Kinds of scenarios: healthy, better, breach, slow, missing, srm, duplicates, outage, late, unconfirmed; default: all that the plan has anything for." placeholder:"KIND"`
	Metric   string         `help:"Guardrail that is breached; default: the plan's first."`
	By       string         `help:"By how much it gets worse: 20% or 3x; default: twice its margin." placeholder:"SIZE"`
	After    event.Duration `help:"From the start until the fault begins."`
	Stage    string         `help:"The fault begins with this stage."`
	Expect   []string       `help:"What should come of it: \"breach: rollback within 24h in 95%\"; may be repeated." sep:"none"`
	Every    event.Duration `help:"Between two looks; default 1h."`
	Answer   event.Duration `help:"Until people approve and confirm, and systems report, what they are asked for; default: at once."`
}

// Help says what the numbers rest on.
func (rehearseCmd) Help() string {
	return `The plan is carried out in virtual time, on made-up or recorded units, by the code that would carry it
out: when it stops what should be stopped, how many units are harmed until then, and how often it cries wolf.
What units are like is taken from the server's past, or from a document of kind Rehearsal.

  sluice rehearse plan.yaml
  sluice rehearse plan.yaml --scenario breach --by 20% --seeds 100 --expect 'rollback within 24h in 95%'
  sluice rehearse plan.yaml flag.yaml metrics.yaml rehearsal.yaml --offline --policies policies.yaml -o md

Exit status 2 says that something is not as expected.`
}

// Run prints a report of every plan in the files.
func (c rehearseCmd) Run(ctx context.Context) error {
	if len(c.Policies) > 0 && !c.Offline {
		return errors.New("--policies is of a rehearsal that asks no server: add --offline, or put the policies beside the plan to see what they would change")
	}
	files, err := documents{File: append(c.File, c.Policies...)}.read()
	if err != nil {
		return err
	}
	said, err := c.document()
	if err != nil {
		return err
	}
	plans, err := c.plans(ctx, files, said)
	if err != nil {
		return err
	}
	var reports []rehearsal.Report
	for _, p := range plans {
		report, err := c.rehearse(ctx, p)
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	return c.show(reports)
}

// document is what the command line says of the rehearsal.
func (w rehearseWhat) document() (d rehearsal.Document, err error) {
	d.Settings.Every, d.Settings.Answer = w.Every, w.Answer
	s := rehearsal.Scenario{Metric: w.Metric, After: w.After, Stage: w.Stage}
	if w.By != "" {
		if s.By, err = event.ParseSize(w.By); err != nil {
			return d, fmt.Errorf("--by: %w", err)
		}
	}
	for _, kind := range w.Scenario {
		one := s
		one.Kind = rehearsal.Kind(kind)
		if one.Kind == rehearsal.Healthy || one.Kind == rehearsal.Better {
			one.By = decisions.Size{}
		}
		d.Scenarios = append(d.Scenarios, one)
	}
	if len(w.Scenario) == 0 && s != (rehearsal.Scenario{}) {
		s.Kind = rehearsal.Breach
		d.Scenarios = []rehearsal.Scenario{s}
	}
	for _, text := range w.Expect {
		e, err := rehearsal.ParseExpectation(text)
		if err != nil {
			return d, fmt.Errorf("--expect: %w", err)
		}
		d.Expect = append(d.Expect, e)
	}
	return d, nil
}

// plans returns the plans of the files with what they are rehearsed on.
func (c rehearseCmd) plans(ctx context.Context, files []named, said rehearsal.Document) ([]server.RehearsalView, error) {
	if c.Offline {
		return alone(files, said)
	}
	text, err := json.Marshal(struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		rehearsal.Document
	}{"sluice/v1", "Rehearsal", said})
	if err != nil {
		return nil, fmt.Errorf("encoding the command line: %w", err)
	}
	body, err := json.Marshal(map[string]any{"files": append(files, named{"command line", string(text)})})
	if err != nil {
		return nil, fmt.Errorf("encoding the files: %w", err)
	}
	query := set(url.Values{"days": {strconv.Itoa(c.Days)}, "seeds": {"0"}}, "traffic", c.Traffic)
	var all struct {
		Rehearsals []server.RehearsalView `json:"rehearsals"`
	}
	err = c.do(ctx, http.MethodPost, "/api/v1/rehearsals?"+query.Encode(), server.FilesType, body, &all)
	return all.Rehearsals, err
}

// rehearse carries one plan out, on all processors.
func (c rehearseCmd) rehearse(ctx context.Context, v server.RehearsalView) (rehearsal.Report, error) {
	if c.Events != "" {
		recorded, err := c.recorded(v.Rehearsal)
		if err != nil {
			return rehearsal.Report{}, err
		}
		v.Rehearsal.Record = recorded
	}
	seeds := rehearsal.Seeds{From: c.Seed, Count: c.Seeds, Spread: spread}
	return v.Rehearsal.Report(ctx, v.Scenarios, seeds, v.Expect)
}

// spread does n tasks on all processors.
func spread(n int, do func(int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	all.Wait()
}
