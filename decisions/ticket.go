package decisions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Scanned is where the newest scan of a repository found the flag.
type Scanned struct {
	Repository string
	Revision   string // commit that was read
	At         time.Time
	Places     []flags.Place
}

// Ticket is the text of a ticket for whoever takes the flag out of the code, as
// Markdown: what stays, what to delete where, and how to tell that it is done.
func (r Rollout) Ticket(f flags.Recorded, ready Readiness, scans []Scanned) string {
	t := ticket{r: r, f: f, end: r.EndState(), winner: r.Winner(f)}
	t.head()
	t.what()
	t.where(scans)
	t.steps()
	t.ready(ready)
	return t.b.String()
}

// ticket is a ticket on its way.
type ticket struct {
	r      Rollout
	f      flags.Recorded
	end    flags.EndState
	winner string
	b      strings.Builder
}

func (t *ticket) line(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

func (t *ticket) head() {
	verb := "Take the flag " + code(t.f.Key) + " out of the code"
	if t.stays() {
		verb = "Decide how the flag " + code(t.f.Key) + " stays"
	}
	t.line("# %s\n", verb)
	t.line("- Rollout: %s, %s", code(t.r.ID), t.over())
	if t.r.Plan.Hypothesis != "" {
		t.line("- Hypothesis: %s", plain(t.r.Plan.Hypothesis))
	}
	t.line("- Owner: %s", t.r.Plan.Owner)
	t.line("- End state: %s", t.end)
	if due := t.r.CleanupDue(); !due.IsZero() {
		t.line("- Due: %s", due.Format(time.DateOnly))
	}
	if link := t.r.ticketLink(); link != "" {
		t.line("- Ticket: %s", plain(link))
	}
	for _, link := range t.r.Plan.Links {
		t.line("- Link: %s", plain(link))
	}
}

func (t *ticket) over() string {
	switch {
	case t.r.Ended.IsZero():
		return "which is " + string(t.r.Status)
	case t.r.Status == RolledBack:
		return "rolled back on " + t.r.Ended.Format(time.DateOnly)
	}
	return "decided on " + t.r.Ended.Format(time.DateOnly)
}

func (t *ticket) stays() bool { return t.end == flags.Keep || t.end == flags.Convert }

// what says which branch stays.
func (t *ticket) what() {
	t.line("\n## What stays\n")
	value := string(t.f.Variants[t.winner])
	if t.stays() {
		t.line("The flag stays, and gives everybody %s (value %s) unless its rules say otherwise.", code(t.winner), code(value))
		return
	}
	t.line("Keep the branch of the variant %s (value %s) and delete all others, with the question itself:\n", code(t.winner), code(value))
	for _, name := range sorted(t.f.Variants) {
		if name != t.winner {
			t.line("- delete what is done for %s (value %s)", code(name), code(string(t.f.Variants[name])))
		}
	}
}

// where lists the lines that use the flag, by repository and file.
func (t *ticket) where(scans []Scanned) {
	if t.stays() {
		return
	}
	t.line("\n## Where\n")
	if len(scans) == 0 {
		t.line("No source tree has been scanned. Run %s in each repository, and ask for this ticket again.", code("sluice refs scan ."))
	}
	for _, s := range scans {
		if len(s.Places) == 0 {
			t.line("- %s at %s: no line uses it", plain(s.Repository), short(s.Revision))
			continue
		}
		t.line("### %s at %s\n", plain(s.Repository), short(s.Revision))
		for _, p := range s.Places {
			t.line("- [ ] %s%s", code(fmt.Sprintf("%s:%d", p.Path, p.Line)), alias(p))
		}
		t.line("")
	}
}

func alias(p flags.Place) string {
	if p.Alias == "" {
		return ""
	}
	return ", by the name " + code(p.Alias)
}

// steps are the commands around the deletion.
func (t *ticket) steps() {
	t.line("\n## Steps\n")
	n := 0
	step := func(format string, args ...any) { n++; t.line("%d. %s", n, fmt.Sprintf(format, args...)) }
	switch {
	case t.r.Carried != nil:
		step("Done on %s by %s: %s is the default, and nothing splits the units any more.", t.r.Carried.At.Format(time.DateOnly), t.r.Carried.By, code(t.winner))
	case t.end == flags.Convert:
		step("%s", code("sluice cleanup do "+t.r.ID+" --purpose operational --why '…' --review …"))
	case t.end == flags.Keep:
		step("%s", code("sluice cleanup do "+t.r.ID+" --why '…' --review …"))
	default:
		step("%s makes %s the default, and ends what splits the units.", code("sluice cleanup do "+t.r.ID), code(t.winner))
	}
	if t.stays() {
		return
	}
	step("Delete the lines above, release, and run %s.", code("sluice refs scan ."))
	step("When nobody has asked for %d days: %s. That closes the cleanup.", int(flags.Quiet.Hours()/24), code("sluice flag archive "+t.f.Key+" -m 'no code uses it'"))
}

// ready says what stands against it now.
func (t *ticket) ready(ready Readiness) {
	t.line("\n## Readiness now: %s\n", ready.State)
	if len(ready.Reasons) == 0 {
		t.line("Nothing speaks against it.")
	}
	for _, r := range ready.Reasons {
		fix := ""
		if r.Fix != "" {
			fix = ": " + r.Fix
		}
		t.line("- %s (%s): %s%s", r.State, r.Step, plain(r.Why), fix)
	}
}

// code writes a word as Markdown shows code, whatever is in it.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 || strings.HasPrefix(text, " ") {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

// short is a revision as people write it.
func short(revision string) string {
	if len(revision) > 12 && !slices.ContainsFunc([]rune(revision), func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }) {
		return revision[:12]
	}
	return revision
}
