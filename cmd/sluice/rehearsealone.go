package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/tabular"
	"github.com/sluice-hq/sluice/stats"
)

// pile is the documents of some files, as far as a rehearsal asks.
type pile struct {
	flags    map[string]flags.Flag
	metrics  map[string]stats.Metric
	policies []flags.Policy
	plans    []decisions.Plan
	said     rehearsal.Document
}

// alone returns the plans of the files with what the files say.
func alone(files []named, said rehearsal.Document) ([]server.RehearsalView, error) {
	p := pile{flags: map[string]flags.Flag{}, metrics: map[string]stats.Metric{}}
	for _, f := range files {
		docs, err := manifest.Split([]byte(f.Text))
		if err != nil {
			return nil, fmt.Errorf("%s:\n%w", f.Name, err)
		}
		for _, d := range docs {
			if err := p.add(d); err != nil {
				return nil, fmt.Errorf("%s:\n%w", f.Name, err)
			}
		}
	}
	if len(p.plans) == 0 {
		return nil, errors.New("no document of the files is a plan (kind: Rollout)")
	}
	said = said.Over(p.said)
	var out []server.RehearsalView
	for _, plan := range p.plans {
		f, known := p.flags[plan.Flag]
		if !known {
			return nil, fmt.Errorf("flag %s is not in the files; put its document beside the plan, or ask a server", plan.Flag)
		}
		asked := flags.ReleasesOf(p.policies, plan.Environment, &f)
		r := said.On(rehearsal.Rehearsal{Plan: plan, Flag: f, Metrics: p.metrics, Policy: asked})
		out = append(out, server.RehearsalView{Rehearsal: r, Scenarios: said.Scenarios, Expect: said.Expect})
	}
	return out, nil
}

// add takes one document. Of kinds that a rehearsal does not ask it takes none.
func (p *pile) add(d manifest.Document) (err error) {
	switch d.Kind {
	case "Flag":
		var f flags.Flag
		if err = d.Decode(&f); err == nil {
			p.flags[f.Key] = f
		}
	case "Metric":
		var m ingest.Metric
		if err = d.Decode(&m); err == nil {
			p.metrics[m.Key] = m.Stats()
			err = d.Annotate(m.Validate())
		}
	case "Rollout":
		var plan decisions.Plan
		if err = d.Decode(&plan); err == nil {
			p.plans = append(p.plans, plan)
		}
	case "Policy":
		var policy flags.Policy
		if err = d.Decode(&policy); err == nil {
			p.policies = append(p.policies, policy)
			err = d.Annotate(policy.Validate())
		}
	case "Rehearsal":
		var more rehearsal.Document
		if err = d.Decode(&more); err == nil {
			p.said = more.Over(p.said)
		}
	}
	return err
}

// recorded reads the events to rehearse on.
func (c rehearseCmd) recorded(r rehearsal.Rehearsal) (*rehearsal.Recorded, error) {
	recorder := rehearsal.NewRecorder(r.Plan, r.Metrics)
	take := func(line []byte) error {
		var e rehearsal.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		recorder.Add(e)
		return nil
	}
	read := c.lines
	if c.Map != "" {
		read = c.rows
	}
	if err := read(take); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Events, err)
	}
	return recorder.Recorded()
}

// lines reads events as services send them.
func (c rehearseCmd) lines(take func([]byte) error) error {
	f, err := os.Open(c.Events)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 1<<16), 4<<20)
	for n := 1; s.Scan(); n++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		if err := take(s.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return s.Err()
}

// rows reads what a mapping makes of the rows of a file.
func (c rehearseCmd) rows(take func([]byte) error) error {
	im := eventsImportCmd{File: c.Events, Map: c.Map}
	m, _, err := im.mapping()
	if err != nil {
		return err
	}
	in, err := im.open()
	if err != nil {
		return err
	}
	defer in.close()
	rows, err := tabular.Open(in.File, in.format, m)
	if err != nil {
		return err
	}
	for n := int64(1); ; n++ {
		cells, err := rows.Next()
		var fault event.Invalid
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &fault):
			return tabular.RowFault(n, fault)
		case err != nil:
			return err
		}
		events, faults := m.EventsOf(n, cells)
		if len(faults) > 0 {
			return tabular.RowFault(n, faults[0])
		}
		for _, e := range events {
			if err := take(e); err != nil {
				return err
			}
		}
	}
}
