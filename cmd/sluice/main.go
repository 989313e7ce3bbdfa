package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "dev"

// cli is every command, with its flags and their environment variables.
type cli struct {
	Serve     serveCmd     `cmd:"" help:"Run Sluice: flags, ingest, loader, decisions and pages in one process."`
	Demo      demoCmd      `cmd:"" help:"Replay a real experiment and watch it being rolled back on evidence."`
	Apply     applyCmd     `cmd:"" help:"Create or change flags, metrics and rollout plans from YAML files."`
	Diff      diffCmd      `cmd:"" help:"Say what apply would change; exit status 2 when anything would."`
	Get       getCmd       `cmd:"" help:"List flags, metrics, rollouts, segments, environments and others, or show one."`
	History   historyCmd   `cmd:"" help:"Tell who changed a flag, why, and what that made different."`
	Usage     usageCmd     `cmd:"" help:"Tell how often a flag gave which answer, day by day."`
	Refs      refsCmd      `cmd:"" help:"Find the flags that a source tree uses."`
	Evaluate  evaluateCmd  `cmd:"" help:"Ask what a unit gets, as an application does."`
	Explain   explainCmd   `cmd:"" help:"Say why a unit gets, or got, what it gets: rule by rule, with its buckets."`
	Ramp      rampCmd      `cmd:"" help:"Give a share of the units a variant, without a plan."`
	Flag      flagCmd      `cmd:"" help:"Enable, disable, force, unforce, archive or restore a flag."`
	Change    changeCmd    `cmd:"" help:"Change a flag step by step: now, at a time, or when others have agreed."`
	Start     startCmd     `cmd:"" help:"Start a planned rollout."`
	Approve   approveCmd   `cmd:"" help:"Approve what a rollout asks for."`
	Rollback  rollbackCmd  `cmd:"" help:"Give everybody the safe variant, now."`
	Reduce    reduceCmd    `cmd:"" help:"Take a rollout back to an earlier stage or a smaller share; rules stay on."`
	Drill     drillCmd     `cmd:"" help:"Measure on a flag of its own how long a rollback takes to reach everybody."`
	Decide    decideCmd    `cmd:"" help:"Start, hold, resume, approve, advance, roll back, explain or roll forward a rollout."`
	Check     checkCmd     `cmd:"" help:"Report how an external check of a rollout came out."`
	Confirm   confirmCmd   `cmd:"" help:"Confirm a manual condition of a rollout's present stage."`
	Rollout   rolloutCmd   `cmd:"" help:"Start or schedule a rollout, hold, resume, approve, override, advance, ship, reject, roll back or explain it; record what was learnt."`
	Review    reviewCmd    `cmd:"" help:"Tell what happened to releases in the last days: decisions, overrides, incidents, drills, stale flags."`
	Status    statusCmd    `cmd:"" help:"Show the rollouts and what each is waiting for."`
	Power     powerCmd     `cmd:"" help:"Tell how long a plan takes at present traffic, and what each stage detects and excludes."`
	Rehearse  rehearseCmd  `cmd:"" help:"Carry a plan out before anybody is exposed: when it stops, how many it harms, how often it cries wolf."`
	Readout   readoutCmd   `cmd:"" help:"Show what the data say of one rollout."`
	Units     unitsCmd     `cmd:"" help:"Look at single units: those in two arms; export or delete what is kept of one."`
	Events    eventsCmd    `cmd:"" help:"Send events, import old ones from CSV, JSON or Parquet, and watch what comes in."`
	Decisions decisionsCmd `cmd:"" help:"List decisions, show one, verify it, make it again, export it."`
	Cleanup   cleanupCmd   `cmd:"" help:"End flags: what is due, what speaks against it, carry it out, what to delete where."`
	Incidents incidentsCmd `cmd:"" help:"List what is wrong with flags, say what is, and how it ended."`
	Dlq       dlqCmd       `cmd:"" help:"List dead letters, show one, send them again, or be done with them."`
	Webhooks  webhooksCmd  `cmd:"" help:"Look at who is told of what; test a webhook, see what it was sent, send it again."`
	Totals    totalsCmd    `cmd:"" help:"Check the totals of units against the raw events, or have them made anew."`
	Verify    verifyCmd    `cmd:"" help:"Check the log and the four laws: replay, recompute, cause, effect."`
	Export    exportCmd    `cmd:"" help:"Write the control log, or all flags, for flagd or as documents."`
	Import    importCmd    `cmd:"" help:"Bring flags along from flagd and other systems, with their cohorts."`
	Stats     statsCmd     `cmd:"" help:"Calculate with numbers of your own: compare, guardrail, events, srm, adjust, power, boundary."`
	Token     tokenCmd     `cmd:"" help:"Make, list, rotate and revoke tokens of services, browsers, people and teams."`
	Mcp       mcpCmd       `cmd:"" help:"Let an assistant look at everything and propose changes, by the Model Context Protocol on standard input and output."`
	Doctor    doctorCmd    `cmd:"" help:"Look for what would keep Sluice from running here."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
	Engine    engineCmd    `cmd:"" hidden:"" help:"The ClickHouse engine, as a child of serve."`
	Member    memberCmd    `cmd:"" name:"nats-server" hidden:"" help:"A NATS server, where there is no other program to run one with."`
}

// Exit codes, so that a pipeline can gate on a rollout.
const (
	exitError      = 1
	exitWaiting    = 2
	exitRolledBack = 3
)

// exit is an error that asks for one of the exit codes and says nothing.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses and carries out one command and returns the exit code.
func run(ctx context.Context, args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("sluice"), kong.UsageOnError(),
		kong.Description("Release decisions on evidence: flags, experiments, rollback and cleanup."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		panic(err) // unreachable unless the struct above is malformed
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sluice:", err)
		return exitError
	}
	return code(k.Run())
}

func code(err error) int {
	var e exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return int(e)
	}
	fmt.Fprintln(os.Stderr, "sluice:", err)
	return exitError
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	fmt.Println(version)
	return nil
}

// now is the one clock of the house.
func now() time.Time { return time.Now().UTC() }
