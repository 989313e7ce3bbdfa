package decisions

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// A release is told by what it does; what only the numbers of a look made an
// event is told to nobody, and the flag's own events belong to another room.
func TestTell(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Rollback.Notify = []string{"webhook:release"}
	h.begin(p)
	h.do(Command{Op: OpHold, Comment: "lunch"})
	h.do(Command{Op: OpResume})
	h.rounds(newTraffic(harmful), 1000, 60, is(RolledBack))
	h.do(Command{Op: OpExplain, Comment: "levels were too hard"})
	for _, c := range []IncidentCommand{{Incident: "pager", Severity: Critical, Text: "checkout is down"}, {Incident: "pager", Resolve: true}} {
		c.ID, c.Environment, c.Flag, c.At, c.Actor = h.id("incident"), "production", "gate", h.now, ana
		h.write(h.state.HandleIncident(c))
	}
	invented, err := emit(h.id("invented"), "rollout.invented", Subject("production", "gate"), h.now, ana, noted{Rollout: "production/gate/1", Comment: "by a later version"})
	h.write(invented, event.Any, err)

	var got []string
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		told, ok := h.state.Tell(r)
		if !ok {
			continue
		}
		if told.Environment != "production" || told.Flag != "gate" || told.Text == "" || strings.HasPrefix(r.Type, "decision.") != (told.Decision != "") {
			t.Errorf("%s is told as %+v", r.Type, told)
		}
		got = append(got, fmt.Sprint(strings.Join(told.Types, " "), "|", told.Title, "|", strings.Join(told.Webhooks, " ")))
	}
	got = slices.Compact(got) // how often it waits depends on the traffic
	want := []string{
		"rollout.planned|production/gate is planned|",
		"rollout.started|production/gate is started|",
		"decision.made decision.expand|production/gate goes to stage canary|",
		"rollout.paused|production/gate is held|",
		"rollout.resumed|production/gate goes on|",
		"decision.made decision.hold|production/gate stays as it is|",
		"decision.made decision.expand|production/gate goes to stage experiment|",
		"decision.made decision.hold|production/gate stays as it is|",
		"decision.made decision.rollback|production/gate is rolled back|release",
		"rollout.explained|production/gate was explained: the flag is unlocked|",
		"incident.opened|production/gate: critical incident pager|",
		"incident.resolved|production/gate: resolved incident pager|",
		"rollout.invented|production/gate: rollout invented|",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What an incident did to a flag that no rollout serves is told as the decision
// that it is, with its reason; that it could not be done, too.
func TestTell_answer(t *testing.T) {
	h := newHouse(t)
	h.careful(flags.GoSafe)
	h.incident("pager", Critical, false)
	h.step()
	h.flag("gate", flags.Change{Op: flags.Unforce, Environment: "production"})
	h.incident("phone", Critical, false)
	c := h.controller(h.part, &meddler{Log: h.log, before: flags.EventType, do: func() { h.flag("gate", flags.Change{Op: flags.Archive}) }})
	h.must(c.Step(h.ctx, h.now))
	var got []string
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if told, ok := h.state.Tell(r); ok && r.Type != TypeOpened {
			text, _, _ := strings.Cut(told.Text, ": ")
			got = append(got, fmt.Sprint(strings.Join(told.Types, " "), "|", told.Title, "|", text))
		}
		if r.Type == flags.EventType && r.Actor == Controlling && !h.state.Decides(r.Cause) {
			t.Errorf("event %d has a cause that is told, and does not know it", r.Seq)
		}
	}
	const why = "A critical incident is open since 2026-11-02 09:00:00 UTC"
	want := []string{
		"incident.answered decision.rollback|production/gate gives everybody its safe variant: incident pager|" + why,
		"incident.answered decision.rollback|production/gate gives everybody its safe variant: incident phone|" + why,
		"decision.lapsed|production/gate did not do what was decided|changes[0].op \"force\" is refused",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if h.state.Decides("") || h.state.Decides(ana) {
		t.Error("nothing decides")
	}
}

// Nobody is told twice that a rollout waits for the same reason, however many
// looks were recorded.
func TestTell_sameReason(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.rounds(newTraffic(better), 50, 2000, inStage(1))
	told := 0
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if _, ok := h.state.Tell(r); ok && r.Type == TypeMade {
			told++
		}
	}
	all := h.rollout().Decisions
	distinct := 0
	for i, d := range all {
		if i == 0 || d.Verdict.Action != all[i-1].Verdict.Action || d.Verdict.Reason != all[i-1].Verdict.Reason || d.Verdict.Stage != all[i-1].Verdict.Stage {
			distinct++
		}
	}
	if told != distinct || told == len(all) {
		t.Errorf("of %d decisions %d are told, and %d differ from the one before", len(all), told, distinct)
	}
}

// Every type of event that this room names has words, or is silent on purpose.
func TestTell_knowsEveryType(t *testing.T) {
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Type") {
				return true
			}
			if text, ok := spec.Values[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
				kind, err := strconv.Unquote(text.Value)
				if _, told := happened[kind]; err != nil || !told {
					t.Errorf("%s: %s is not in the table of what is told", name, text.Value)
				}
				found++
			}
			return true
		})
	}
	if found != len(happened) {
		t.Errorf("%d types are named, and %d are told", found, len(happened))
	}
	if all := ToldTypes(); slices.Contains(all, TypeFrozen) || !slices.Contains(all, TypeMade) || len(all) != found-1 {
		t.Errorf("told are %v", all)
	}
}
