package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/server"
)

// transfer is a document on its way to the server.
type transfer struct {
	named
	of    subject
	needs []subject
	would server.Applied // what a rehearsal says of it
}

// transfersOf writes documents as a manifest reads them.
func transfersOf(list []headed) ([]transfer, error) {
	var out []transfer
	for _, h := range list {
		text, err := json.Marshal(h.doc)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", h.name, err)
		}
		out = append(out, transfer{named: named{h.name, string(text)}, of: h.of, needs: h.needs})
	}
	return out, nil
}

// applyAll applies documents, as many at once as one request can hold. All are
// rehearsed before the first is applied, so that nothing is done when one would
// be refused, and each expects what the rehearsal saw: what somebody has changed
// is never overwritten, unless that was asked for. here has the keys of the flags
// that the environment has already.
func (c importCmd) applyAll(ctx context.Context, docs []transfer, here map[string]bool) error {
	parts := fitting(docs)
	for _, part := range parts {
		if err := c.rehearse(ctx, docs, part); err != nil {
			return err
		}
	}
	differing := c.differing(docs, here)
	if c.DryRun {
		wouldChange(os.Stdout, c.changing(docs, differing))
	}
	if len(differing) > 0 && c.Existing == "refuse" {
		return refusal(differing)
	}
	if c.DryRun {
		return nil
	}
	for _, part := range parts {
		if err := c.applyPart(ctx, part, differing); err != nil {
			return err
		}
	}
	return nil
}

// rehearse asks what a part would do, together with what it needs of others.
func (c importCmd) rehearse(ctx context.Context, all []transfer, part []transfer) error {
	var files []named
	for _, d := range closure(all, part) {
		files = append(files, d.named)
	}
	done, err := c.applyFiles(ctx, files, url.Values{"dryRun": {"true"}})
	if err != nil {
		return fmt.Errorf("nothing has been done: %w", err)
	}
	for _, a := range done {
		if at := slices.IndexFunc(part, func(d transfer) bool { return d.of == subject{a.Kind, a.Key} }); at >= 0 {
			part[at].would = a
		}
	}
	return nil
}

// differing returns the documents that would change what is here already: a
// segment, or a flag in this environment.
func (c importCmd) differing(docs []transfer, here map[string]bool) []transfer {
	return slices.DeleteFunc(slices.Clone(docs), func(d transfer) bool {
		return d.would.Change != "changed" || d.of.kind == flagKind && !here[d.of.key]
	})
}

// changing returns what would become of the documents, but for those that change
// nothing and those that are kept.
func (c importCmd) changing(docs, differing []transfer) (list []server.Applied) {
	for _, d := range docs {
		if d.would.Change != "unchanged" && !c.keeps(d, differing) {
			list = append(list, d.would)
		}
	}
	return list
}

// keeps reports whether a document is not applied, since what is here differs.
func (c importCmd) keeps(d transfer, differing []transfer) bool {
	return c.Existing == "keep" && slices.ContainsFunc(differing, func(o transfer) bool { return o.of == d.of })
}

// refusal names what is here already and differs.
func refusal(differing []transfer) error {
	lines := make([]string, len(differing))
	for i, d := range differing {
		lines[i] = fmt.Sprintf("  %s %s, at revision %d", strings.ToLower(d.of.kind), d.of.key, d.would.Revision)
	}
	return fmt.Errorf("nothing has been done: these are here already, and differ:\n%s\n--existing keep leaves them as they are, --existing replace takes what the export has; --dry-run shows the differences", strings.Join(lines, "\n"))
}

// applyPart applies the documents of one request, at the revisions that were
// rehearsed.
func (c importCmd) applyPart(ctx context.Context, part, differing []transfer) error {
	var files []named
	for _, d := range part {
		if c.keeps(d, differing) {
			fmt.Printf("%s %s kept (revision %d)\n", strings.ToLower(d.of.kind), d.of.key, d.would.Revision)
			continue
		}
		files = append(files, named{d.Name, fmt.Sprintf(`{"expect":%d,%s`, d.would.Revision, strings.TrimPrefix(d.Text, "{"))})
	}
	if len(files) == 0 {
		return nil
	}
	done, err := c.applyFiles(ctx, files, set(url.Values{}, "comment", c.Comment))
	for _, d := range done {
		fmt.Printf("%s %s %s (revision %d)\n", strings.ToLower(d.Kind), d.Key, d.Change, d.Revision)
	}
	return err
}

// fitting cuts documents into parts that one request can hold together with what
// they need; a document that needs more than that is a part of its own, which
// the server refuses.
func fitting(docs []transfer) (parts [][]transfer) {
	from, held := 0, packedOf(docs)
	for i, d := range docs {
		if held.take(d.of); held.size > manifest.MaxBytes && i > from {
			parts, from, held = append(parts, docs[from:i]), i, packedOf(docs)
			held.take(d.of)
		}
	}
	if from < len(docs) {
		parts = append(parts, docs[from:])
	}
	return parts
}

// packed is a set of documents that holds all that they need.
type packed struct {
	all  map[subject]transfer
	has  map[subject]bool
	size int // of their texts, in bytes
}

func packedOf(docs []transfer) *packed {
	p := &packed{all: make(map[subject]transfer, len(docs)), has: map[subject]bool{}}
	for _, d := range docs {
		p.all[d.of] = d
	}
	return p
}

// take adds a document and what it needs, unless the import does not have it.
func (p *packed) take(of subject) {
	d, ok := p.all[of]
	if !ok || p.has[of] {
		return
	}
	p.has[of] = true
	p.size += len(d.Text)
	for _, need := range d.needs {
		p.take(need)
	}
}

// closure returns a part with all that it needs of the other documents, in their
// order.
func closure(all, part []transfer) []transfer {
	p := packedOf(all)
	for _, d := range part {
		p.take(d.of)
	}
	return slices.DeleteFunc(slices.Clone(all), func(d transfer) bool { return !p.has[d.of] })
}
