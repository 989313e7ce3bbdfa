package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// incidentsCmd shows what is wrong with flags, and says so.
type incidentsCmd struct {
	List    incidentsListCmd    `cmd:"" default:"withargs" help:"List incidents, the newest first."`
	Open    incidentsOpenCmd    `cmd:"" help:"Say what is wrong with a flag: its rollout holds, pauses or rolls back, as its plan says."`
	Resolve incidentsResolveCmd `cmd:"" help:"Say how an incident ended; a rollout that it paused is resumed by a person."`
}

// incidentsListCmd lists incidents.
type incidentsListCmd struct {
	client
	output
	Flag        string `help:"Of this flag alone."`
	Environment string `short:"e" help:"Of this environment alone."`
	Severity    string `enum:"critical,blocking,minor," default:"" help:"critical, blocking or minor alone."`
	Source      string `help:"Told by this source alone: alertmanager, grafana, slo-alert or api."`
	Open        bool   `help:"Those that are open alone."`
	Limit       int    `help:"At most so many; 0: all." default:"0"`
}

// Run prints the incidents.
func (c incidentsListCmd) Run(ctx context.Context) error {
	query := set(url.Values{}, "flag", c.Flag, "environment", c.Environment, "severity", c.Severity, "source", c.Source)
	if c.Open {
		query.Set("open", "true")
	}
	all, err := list[decisions.Reported](ctx, c.client, "/api/v1/incidents", "incidents", query, c.Limit)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "There is no such incident.")
			return
		}
		fmt.Fprintln(w, "INCIDENT\tSEVERITY\tSINCE\tTOLD BY\tRESOLVED\tWHAT")
		for _, r := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", incidentName(r), r.Severity, r.Since.Format("2006-01-02 15:04:05"), r.By, incidentEnd(r), r.What())
		}
	})
}

// incidentName is what resolve takes.
func incidentName(r decisions.Reported) string { return r.Environment + "/" + r.Flag + "/" + r.ID }

// incidentEnd says when an incident was resolved, and by whom.
func incidentEnd(r decisions.Reported) string {
	if r.Open() {
		return "–"
	}
	return r.Resolved.Format("2006-01-02 15:04:05") + " by " + r.ResolvedBy
}

// incidentsOpenCmd opens one.
type incidentsOpenCmd struct {
	client
	Flag        string `arg:"" help:"Key of the flag."`
	Environment string `short:"e" help:"Environment; the token's own when absent."`
	Severity    string `short:"s" enum:"critical,blocking,minor" default:"blocking" help:"critical, blocking (default) or minor."`
	Text        string `short:"m" required:"" help:"What is wrong; it stays on record."`
	Name        string `help:"What it is called, such as the number of a ticket; a name is made when absent."`
	Segment     string `help:"The units that it hits, for people to read."`
	Link        string `help:"Where to read more."`
}

// Run opens it and prints what it is resolved by.
func (c incidentsOpenCmd) Run(ctx context.Context) error {
	body := map[string]string{}
	for name, value := range map[string]string{
		"flag": c.Flag, "environment": c.Environment, "severity": c.Severity, "text": c.Text, "incident": c.Name, "segment": c.Segment, "link": c.Link,
	} {
		if value != "" {
			body[name] = value
		}
	}
	var r decisions.Reported
	if err := c.post(ctx, "/v1/incidents", body, &r); err != nil {
		return err
	}
	fmt.Printf("%s is open, %s; resolve it with: sluice incidents resolve %s -m HOW\n", incidentName(r), r.Severity, incidentName(r))
	return nil
}

// incidentsResolveCmd resolves one.
type incidentsResolveCmd struct {
	client
	Incident string `arg:"" help:"environment/flag/name, as the list shows it."`
	Comment  string `short:"m" required:"" help:"How it ended; it stays on record."`
}

// Run resolves it, and says what still waits for a person.
func (c incidentsResolveCmd) Run(ctx context.Context) error {
	parts := strings.Split(c.Incident, "/")
	if len(parts) != 3 {
		return fmt.Errorf("%q is not an incident; write environment/flag/name, as sluice incidents shows it", c.Incident)
	}
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	var r server.IncidentView
	if err := c.post(ctx, "/v1/incidents/"+strings.Join(parts, "/")+"/resolve", map[string]string{"comment": c.Comment}, &r); err != nil {
		return err
	}
	fmt.Printf("%s is resolved by %s\n", incidentName(r.Reported), r.ResolvedBy)
	if r.Paused != "" {
		fmt.Printf("%s is paused, and waits for a person: sluice decide resume %s\n", r.Paused, r.Paused)
	}
	return nil
}
