package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/ingest"
)

// eventsTailCmd watches events come in.
type eventsTailCmd struct {
	client
	Environment string `short:"e" help:"Environment, for tokens that are bound to none."`
	Verdict     string `help:"accepted, dead, rejected or refused alone." placeholder:"VERDICT"`
	Kind        string `help:"exposure, metric, deployment or reading alone." placeholder:"KIND"`
	Name        string `help:"Events of this name, flag or service alone."`
	Unit        string `help:"Events of this unit alone." placeholder:"KIND=ID"`
	Recent      bool   `help:"Begin with what was not simply taken lately."`
	Count       int    `help:"End after so many; 0: never."`
	Output      string `short:"o" enum:"table,json" default:"table" help:"table, or json: one object a line."`
}

// Help says what is seen.
func (eventsTailCmd) Help() string {
	return "Events are seen at the replica that takes them: behind a balancer, name one with --server. Ids of units are shown as hashes."
}

// listener has no time limit: nobody knows when the next event comes.
var listener = &http.Client{Transport: doer.Transport}

// Run prints events until it has enough or is interrupted.
func (c eventsTailCmd) Run(ctx context.Context) error {
	recent := ""
	if c.Recent {
		recent = "true"
	}
	path := eventsPath("/api/v1/events/tail", c.Environment, "verdict", c.Verdict, "kind", c.Kind, "name", c.Name, "unit", c.Unit, "recent", recent)
	answer, err := c.ask(ctx, listener, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return read(answer, nil)
	}
	if err = c.follow(answer.Body); ctx.Err() != nil {
		return nil // interrupted, as every tail is
	}
	return err
}

// follow reads server-sent events and prints what they tell.
func (c eventsTailCmd) follow(body io.Reader) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	kind, seen := "", 0
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if err := c.tell(os.Stdout, kind, data); err != nil {
			return err
		}
		if kind == "heard" {
			seen++
		}
		if seen == c.Count && c.Count > 0 {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return errors.New("the server has ended the tail: it shuts down, or the token no longer opens it")
}

// tell prints one event, or that some were missed.
func (c eventsTailCmd) tell(w io.Writer, kind, data string) error {
	if kind == "missed" {
		var missed struct{ Events uint64 }
		if err := json.Unmarshal([]byte(data), &missed); err != nil {
			return fmt.Errorf("reading the tail: %w", err)
		}
		fmt.Fprintf(os.Stderr, "%s came too fast to be shown\n", counted(int(missed.Events), "event"))
		return nil
	}
	if c.Output == "json" {
		_, err := fmt.Fprintln(w, data)
		return err
	}
	var h ingest.Heard
	if err := json.Unmarshal([]byte(data), &h); err != nil {
		return fmt.Errorf("reading the tail: %w", err)
	}
	_, err := fmt.Fprint(terminal{w}, heardText(h))
	return err
}

// heardText writes an event as a line, and a line for each thing to know of it.
func heardText(h ingest.Heard) string {
	var b strings.Builder
	what := []string{h.Received.UTC().Format("15:04:05.000"), fmt.Sprintf("%-8s", h.Verdict)}
	for _, part := range []string{h.Kind, h.Name, factText(h.Fact)} {
		if part != "" {
			what = append(what, part)
		}
	}
	b.WriteString(strings.TrimRight(strings.Join(what, "  "), " ") + "\n")
	for _, n := range h.Notes {
		fmt.Fprintf(&b, "              %s\n", n)
	}
	return b.String()
}

// factText is what tells an event from others of its kind and name.
func factText(fact json.RawMessage) string {
	var f struct {
		Variant, Version string
		Value            *float64
		Unit             ingest.Unit
		Units            map[string]string
	}
	if json.Unmarshal(fact, &f) != nil {
		return "" // it was not taken
	}
	var parts []string
	for _, text := range []string{f.Variant, f.Version} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if f.Value != nil {
		parts = append(parts, fmt.Sprint(*f.Value))
	}
	if f.Unit.Kind != "" {
		parts = append(parts, f.Unit.Kind+"="+f.Unit.ID)
	}
	var units []string
	for kind, id := range f.Units {
		units = append(units, kind+"="+id)
	}
	slices.Sort(units)
	return strings.Join(append(parts, units...), "  ")
}
