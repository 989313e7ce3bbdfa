package decisions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Page writes the record as the page that an auditor reads, in Markdown: what was
// decided, by whom and on what, and where to check each of it. With sql it ends
// with every query.
func (r Record) Page(sql bool) (string, error) {
	in, err := r.Input()
	if err != nil {
		return "", err
	}
	p := page{Record: r, in: in}
	p.head()
	p.people()
	if in != nil {
		p.gate()
		p.numbers()
		p.basis()
	}
	p.chain()
	if in != nil && sql {
		p.queries()
	}
	return p.b.String(), nil
}

// page is a page on its way.
type page struct {
	Record
	in *Input // nil: nobody looked
	b  strings.Builder
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// row writes cells of a table.
func (p *page) row(cells ...string) {
	for i := range cells {
		cells[i] = plain(cells[i])
	}
	p.line("| %s |", strings.Join(cells, " | "))
}

func (p *page) table(names ...string) {
	p.line("")
	p.row(names...)
	p.line("|%s", strings.Repeat(" --- |", len(names)))
}

// plain keeps what people wrote from being read as Markdown or HTML.
func plain(text string) string {
	return strings.NewReplacer("\r", "", "\n", " ", "|", `\|`, "<", "&lt;", "*", `\*`, "`", "\\`", "[", `\[`).Replace(text)
}

func (p *page) head() {
	d := p.Decision
	environment, flag, _, _ := SplitID(p.Rollout) // the state has it from this room
	p.line("# %s: %s in %s\n", strings.ToUpper(string(d.Verdict.Action[:1]))+string(d.Verdict.Action[1:]), plain(flag), plain(environment))
	p.line("%s.\n", plain(strings.TrimSuffix(d.Verdict.Text, ".")))
	p.line("- Decision: %s, of rollout %s", code(d.ID), code(p.Rollout))
	p.line("- Decided: %s by %s", clock(d.At), p.who())
	p.line("- Stage before: %s; after: %s", plain(or(p.Before, "none")), plain(or(p.After, "none")))
	p.line("- Reason: %s", plain(d.Verdict.Reason))
	if p.Hypothesis != "" {
		p.line("- Hypothesis: %s", plain(p.Hypothesis))
	}
	for _, link := range p.Links {
		p.line("- Link: %s", plain(link))
	}
	p.line("- Effect: %s", p.effect())
}

// who says who decided, or which rule.
func (p *page) who() string {
	if !p.Decision.ByController() {
		return plain(p.Decision.By)
	}
	if p.in == nil {
		return "the controller"
	}
	return fmt.Sprintf("the controller, by version %d of the rules", p.in.Rules)
}

func (p *page) effect() string {
	switch d := p.Decision; {
	case d.Lapsed != "":
		return "none: " + plain(d.Lapsed)
	case !d.Verdict.Action.Actuating():
		return "none, it changes no flag"
	case p.Effect == nil:
		return "not carried out yet"
	}
	return fmt.Sprintf("flag change %s, event %d, on %s", code(p.Effect.ID), p.Effect.Seq, clock(p.Effect.At))
}

// people are what was recommended, what a person said instead, and who agreed.
func (p *page) people() {
	d := p.Decision
	if a := p.Recommended; a != nil {
		p.line("- Recommended: %s (%s), by decision %s", a.Verdict.Action, plain(a.Verdict.Reason), code(a.ID))
	} else if d.ByController() {
		p.line("- Recommended: the same; nobody decided otherwise")
	}
	if d.Rationale != "" {
		p.line("- Rationale: %s", plain(d.Rationale))
	}
	if len(p.Approvals) == 0 {
		p.line("- Approvals: none were counted")
		return
	}
	for _, a := range p.Approvals {
		p.line("- Approved: %s on %s, of decision %s%s", plain(a.By), clock(a.At), code(a.Decision), after(": ", plain(a.Comment)))
	}
}

// after puts something in front of a text that is there.
func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func (p *page) gate() {
	checks := p.Decision.Verdict.Checks
	title := "The gate"
	if p.Recommended != nil {
		checks, title = p.Recommended.Verdict.Checks, "The gate, as it stood when the person decided"
	}
	p.line("\n## %s", title)
	p.table("Check", "State", "What was found")
	for _, c := range checks {
		p.row(c.key(), string(c.State), c.Text)
	}
}

func (p *page) numbers() {
	e := p.in.Evidence
	p.line("\n## The numbers")
	p.table("Units", "Stage", "Arm", "Epoch")
	for _, c := range e.Units {
		p.row(count(c.N), c.Stage, c.Arm, fmt.Sprint(c.Epoch))
	}
	if e.TwoArms > 0 || e.Unaccounted > 0 {
		p.line("\nLeft out: %s units that saw two arms. Unaccounted events: %s.", count(e.TwoArms), count(e.Unaccounted))
	}
	if len(e.Metrics) == 0 {
		return
	}
	p.table("Metric", "Control", "Treatment", "Lift", "95 %, valid at every look", "State")
	for _, m := range e.Metrics {
		p.metric(m)
	}
}

func (p *page) metric(m Measured) {
	c := m.Comparison
	if c == nil || c.Refused != nil {
		p.row(m.Metric, "", "", "", "", or(string(m.State()), "no data"))
		return
	}
	show := func(x float64) string { return quantity(x, m.Unit) }
	if p.in.Metrics[m.Metric].Aggregate.Proportion() {
		show = percent
	}
	level := func(a stats.Arm) string { return fmt.Sprintf("%s of %s", show(a.Mean), count(a.N)) }
	p.row(m.Metric, level(c.Control), level(c.Treatment), percent(c.Estimate), side(c.Band.Low, percent)+" to "+side(c.Band.High, percent), string(m.State()))
}

// basis is what the numbers are of: who wants to check them needs all of it.
func (p *page) basis() {
	in, e := p.in, p.in.Evidence
	p.line("\n## What it rests on\n")
	p.line("- Evidence taken: %s; looked at %s", clock(e.At), clock(in.Now))
	for _, shard := range slices.Sorted(maps.Keys(e.Watermark)) {
		w := e.Watermark[shard]
		p.line("- Watermark of %s: message %d, newest event %s", code(shard), w.Seq, clock(w.Newest))
	}
	p.line("- Flag: revision %d%s", e.FlagRevision, after("; it answered its safe variant to all: ", plain(e.FlagOff)))
	p.line("- Plan: version %d, SHA-256 %s", in.State.Version, hashOf(in.Plan))
	for _, key := range slices.Sorted(maps.Keys(in.Metrics)) {
		p.line("- Metric %s: definition SHA-256 %s", plain(key), hashOf(in.Metrics[key]))
	}
	for _, i := range e.Incidents {
		p.line("- Incident %s: %s since %s%s", plain(i.ID), i.Severity, clock(i.Since), after(", ", plain(i.Text)))
	}
	for i, q := range e.Queries {
		p.line("- Query %d, of %s: SHA-256 %s", i+1, plain(strings.Join(q.Of, ", ")), q.Hash)
	}
	p.line("- Rules: version %d", in.Rules)
	if in.Build != nil {
		p.line("- Code: %s", plain(in.Build.String()))
	}
}

// hashOf names what was recorded by its hash.
func hashOf(v any) event.Hash {
	b, err := json.Marshal(v)
	if err != nil {
		return event.Hash{} // unreachable unless a recorded value cannot be recorded
	}
	return event.Sum(b)
}

func (p *page) chain() {
	e, d := p.Event, p.Decision
	p.line("\n## Where it stands in the log\n")
	p.line("- Event: %d, SHA-256 %s", e.Seq, e.Hash)
	p.line("- Event before it of the same rollout: SHA-256 %s", e.Prev)
	if d.Input != (event.Blob{}) {
		p.line("- Record: SHA-256 %s, %s bytes", d.Input.SHA256, count(d.Input.Size))
	}
	if d.Seal.Seq > 0 {
		p.line("- Newest seal then: event %d, head %s", d.Seal.Seq, d.Seal.Head)
	}
	what, made := "the decision", d.ID
	if p.Recommended != nil {
		what, made = "what was recommended", p.Recommended.ID
	}
	p.line("\nCheck it: %s proves the chain and the record, %s makes %s again.", code("sluice decisions verify "+d.ID), code("sluice decisions recompute "+made), what)
}

func (p *page) queries() {
	p.line("\n## The queries")
	for i, q := range p.in.Evidence.Queries {
		p.line("\n%d. Of %s, with %s:\n\n%s", i+1, plain(strings.Join(q.Of, ", ")), code(string(q.Params)), indented(q.SQL))
	}
}

// indented writes a text as Markdown shows code that may hold anything.
func indented(text string) string {
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}
