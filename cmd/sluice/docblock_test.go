package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docBlock is a block of shell commands in a document.
type docBlock struct {
	script string
	retry  bool
	shown  bool   // the document shows what it prints
	text   string // that
	line   int    // where the script begins, from 1
	from   int    // lines[from:to] hold the text
	to     int
}

// guide is a Markdown file.
type guide struct {
	lines   []string
	blocks  []docBlock
	unknown string // kind of a block that looks like commands and is none that is run
}

// Kinds of fenced blocks: those that are run, and those that are only read.
var (
	runKinds  = []string{"sh", "bash"}
	readKinds = []string{"text", "yaml", "json", "go"}
)

// parseDoc finds the shell blocks of a document, and what each prints.
func parseDoc(source string) *guide {
	d := &guide{lines: strings.Split(source, "\n")}
	for i := 0; i < len(d.lines); i++ {
		fence, ok := strings.CutPrefix(d.lines[i], "```")
		if !ok {
			continue
		}
		end := i + 1 + slices.Index(d.lines[i+1:], "```")
		kind, mark, _ := strings.Cut(fence, " ")
		switch {
		case slices.Contains(runKinds, kind):
			d.blocks = append(d.blocks, docBlock{
				script: strings.Join(d.lines[i+1:end], "\n") + "\n", retry: mark == "retry", line: i + 2, from: end + 1, to: end + 1,
			})
		case kind == "text" && len(d.blocks) > 0 && d.behind(i):
			b := &d.blocks[len(d.blocks)-1]
			b.shown, b.text, b.from, b.to = true, strings.Join(d.lines[i+1:end], "\n"), i+1, end
		case !slices.Contains(readKinds, kind):
			d.unknown = cmp.Or(kind, "of no name")
		}
		i = end
	}
	return d
}

// inSentence is a command between backquotes.
var inSentence = regexp.MustCompile("`(?:\\./bin/)?(sluice [^`\n]+)`")

// unrun lists commands in sentences that no block has, with more behind them or
// not.
func (d *guide) unrun() (list []string) {
	var all strings.Builder
	for _, b := range d.blocks {
		all.WriteString(b.script)
	}
	for _, m := range inSentence.FindAllStringSubmatch(d.String(), -1) {
		if !strings.Contains(all.String(), m[1]) {
			list = append(list, m[1])
		}
	}
	return list
}

// behind reports whether nothing but an empty line stands between the last
// script and line i.
func (d *guide) behind(i int) bool {
	b := d.blocks[len(d.blocks)-1]
	return !b.shown && strings.TrimSpace(strings.Join(d.lines[b.from:i], "")) == ""
}

// replace shows what block i prints. A block that showed nothing gets a block
// of text.
func (d *guide) replace(i int, got string) {
	b := d.blocks[i]
	lines := strings.Split(secret.ReplaceAllString(got, "$1…"), "\n")
	if !b.shown {
		lines = slices.Concat([]string{"", "```text"}, lines, []string{"```"})
	}
	more := len(lines) - (b.to - b.from)
	d.lines = slices.Concat(d.lines[:b.from], lines, d.lines[b.to:])
	for j := i + 1; j < len(d.blocks); j++ {
		d.blocks[j].from += more
		d.blocks[j].to += more
	}
}

// String returns the document.
func (d *guide) String() string { return strings.Join(d.lines, "\n") }

// title is the first line of the script, for logs.
func (b *docBlock) title() string { return strings.SplitN(b.script, "\n", 2)[0] }

// replaced puts another script in the place of this one, when there is one for
// how it begins, and forgets that there is.
func (b *docBlock) replaced(instead map[string]string) {
	for text, script := range instead {
		if strings.HasPrefix(b.script, text) {
			b.script, b.shown, b.text = script+"\n", true, "…"
			delete(instead, text)
		}
	}
}

// What is another one at every run.
var (
	secret = regexp.MustCompile(`\b(sl[acs]_)[A-Za-z0-9_-]{20,}`)
	stamp  = regexp.MustCompile(`\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?`)
	blanks = regexp.MustCompile(` {2,}`)
)

// settled replaces what differs from run to run.
func settled(text string) string {
	text = identifier.ReplaceAllString(text, "<id>")
	text = stamp.ReplaceAllString(text, "<time>")
	return blanks.ReplaceAllString(secret.ReplaceAllString(text, "$1<token>"), "  ")
}

// fits reports whether the block may print got.
func (b *docBlock) fits(got string) bool {
	return pattern(b.text).MatchString(settled(got) + "\n")
}

// pattern is what a text of a document stands for.
func pattern(text string) *regexp.Regexp {
	var p strings.Builder
	for line := range strings.SplitSeq(settled(text), "\n") {
		if strings.TrimSpace(line) == "…" {
			p.WriteString(`(?:[^\n]*\n)*`)
			continue
		}
		p.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `[^\n]*`) + `\n`)
	}
	return regexp.MustCompile(`^` + p.String() + `$`)
}

// TestDocument: what is read, what fits, and what -update writes.
func TestDocument(t *testing.T) {
	const source = "# A\n\n```sh\none\n```\n\n```text\n1 at 2026-01-02T03:04:05Z\n…\nend … end\n```\n\n```yaml\na: b\n```\n\n```bash retry\ntwo\n```\n\nwords\n\n```text\nno output\n```\n"
	d := parseDoc(source)
	if len(d.blocks) != 2 || d.unknown != "" || d.String() != source {
		t.Fatalf("got %+v", d)
	}
	one, two := &d.blocks[0], &d.blocks[1]
	if one.script != "one\n" || one.retry || two.script != "two\n" || !two.retry || two.shown {
		t.Errorf("got %+v and %+v", one, two)
	}
	for got, want := range map[string]bool{
		"1 at 2027-12-31T23:59:59.5Z\nany\nlines\nend of the end": true, "1 at 2027-12-31T23:59:59Z\nend of the end": true,
		"1 at noon\nx\nend of the end": false, "1 at 2027-12-31T23:59:59Z\nx\nend of the end\nmore": false,
	} {
		if one.fits(got) != want {
			t.Errorf("%q fits: %t", got, !want)
		}
	}
	if two.fits("a fault") || !two.fits("") {
		t.Error("a block that shows nothing may print something")
	}
	d.replace(0, "1\n2\n3\n4")
	d.replace(1, "sla_0123456789012345678901234567")
	if want := "```text\n1\n2\n3\n4\n```\n\n```yaml\na: b\n```\n\n```bash retry\ntwo\n```\n\n```text\nsla_…\n```\n\nwords"; !strings.Contains(d.String(), want) {
		t.Errorf("got %s", d)
	}
	if parseDoc("```console\n$ one\n```").unknown != "console" || parseDoc("```\none\n```").unknown != "of no name" {
		t.Error("a block of another kind is not noticed")
	}
	if got := parseDoc("Try `one` or `sluice two`, not `sluice one`.\n```sh\nsluice one -m x\n```").unrun(); len(got) != 1 || got[0] != "sluice two" {
		t.Errorf("commands in sentences that are not run: %q", got)
	}
}
