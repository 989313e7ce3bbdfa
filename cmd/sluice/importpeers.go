package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
	"github.com/sluice-hq/sluice/flags/peers/featbit"
	"github.com/sluice-hq/sluice/flags/peers/flagsmith"
	"github.com/sluice-hq/sluice/flags/peers/growthbook"
	"github.com/sluice-hq/sluice/flags/peers/launchdarkly"
	"github.com/sluice-hq/sluice/flags/peers/unleash"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// fromPeer reads the export of another program. The report names the flags that
// are left out, and what a caller has to know.
func (c importCmd) fromPeer(source []byte) (brought, error) {
	importers := map[string]func([]byte, peers.Options) (peers.Brought, error){
		"unleash": unleash.Import, "launchdarkly": launchdarkly.Import, "growthbook": growthbook.Import,
		"featbit": featbit.Import, "flagsmith": flagsmith.Import,
	}
	o := c.options()
	found, err := importers[c.From](source, peers.Options{
		Environment: o.Environment, Owner: o.Owner, Purpose: o.Purpose, Cleanup: o.Cleanup, Unit: o.Unit, Key: c.Key,
	})
	if err != nil {
		return brought{}, err
	}
	out := found.LeftOut()
	if c.Strict && len(out) > 0 {
		var faults event.Invalids
		for _, n := range found.Notes {
			if n.Left {
				faults.Add(n.Path, n.Flag, n.Text, "")
			}
		}
		return brought{}, faults
	}
	b := brought{segments: found.Segments, flags: found.Flags}
	for _, n := range found.Notes {
		b.report = append(b.report, noteLine(n))
	}
	b.report = append(b.report, fmt.Sprintf("%s carried over, %d left out", counted(len(b.flags), "flag"), len(out)))
	return b, nil
}

// noteLine writes a line of the report.
func noteLine(n peers.Note) string {
	line := n.Text
	if n.Path != "" {
		line = n.Path + ": " + line
	}
	if n.Flag != "" {
		line = n.Flag + ": " + line
	}
	if n.Left {
		line = "left out: " + line
	}
	return line
}

// written is a flag with the head of a document, and writtenSegment a segment.
type (
	written struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		flags.Flag
	}
	writtenSegment struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		flags.Segment
	}
)

// headed is a document with its head.
type headed struct {
	name  string // of its file, and in a report
	of    subject
	needs []subject // that come before it
	doc   any
}

// subject is what a document describes.
type subject struct{ kind, key string }

// Kinds of the documents that an import makes.
const (
	flagKind    = "Flag"
	segmentKind = "Segment"
)

// head puts heads before segments and flags: segments first, since flags ask
// for them.
func head(segments []flags.Segment, list []flags.Flag) []headed {
	var out []headed
	for _, s := range segments {
		out = append(out, headed{"segment-" + s.Key, subject{segmentKind, s.Key}, nil, writtenSegment{manifest.APIVersion, segmentKind, s}})
	}
	for _, f := range list {
		var needs []subject
		for _, key := range f.Segments() {
			needs = append(needs, subject{segmentKind, key})
		}
		for _, key := range f.Needs() {
			needs = append(needs, subject{flagKind, key})
		}
		out = append(out, headed{f.Key, subject{flagKind, f.Key}, needs, written{manifest.APIVersion, flagKind, f}})
	}
	return out
}

// writeDocuments writes documents as YAML, each to a file of its own or all to
// standard output. The number before a name keeps what others need first.
func writeDocuments(dir string, segments []flags.Segment, list []flags.Flag) error {
	var all bytes.Buffer
	for i, h := range head(segments, list) {
		text, err := manifest.Encode(h.doc)
		if err != nil {
			return err
		}
		if dir == "-" {
			fmt.Fprintf(&all, "---\n%s", text)
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the folder: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d-%s.yaml", i+1, h.name)), text, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", h.name, err)
		}
	}
	if _, err := os.Stdout.Write(all.Bytes()); err != nil {
		return fmt.Errorf("writing the documents: %w", err)
	}
	return nil
}
