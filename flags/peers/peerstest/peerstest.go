// Package peerstest holds what the tests of importers share: cases that a peer
// publishes are evaluated after an import, counted, and those that differ are
// listed with the reason in a file that the test pins.
package peerstest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

var update = flag.Bool("update", false, "write the lists of cases that differ")

// Read reads a file of published cases.
func Read(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Compile makes a set of what was brought along.
func Compile(b peers.Brought) *flags.Set {
	r := flags.Ruleset{Environment: "production"}
	for i, f := range b.Flags {
		r.Flags = append(r.Flags, flags.Recorded{Flag: f, Revision: uint64(i + 1)})
	}
	for i, s := range b.Segments {
		r.Segments = append(r.Segments, flags.RecordedSegment{Segment: s, Stamp: flags.Stamp{Revision: uint64(i + 1)}})
	}
	return flags.NewSet(r, nil)
}

// Numbers makes numbers of texts that are written like some, for the
// attributes that a report asks it of.
func Numbers(c *flags.Context, names []string) {
	for _, name := range names {
		if s, ok := c.Attributes[name].(string); ok {
			if n, err := strconv.ParseFloat(s, 64); err == nil {
				c.Attributes[name] = n
			}
		}
	}
}

// Same compares JSON by what it says.
func Same(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// Tally counts cases that come out the same, and keeps the others.
type Tally struct {
	t           *testing.T
	same, cases int
	others      []string
}

// NewTally returns an empty tally.
func NewTally(t *testing.T) *Tally { return &Tally{t: t} }

// Count counts a case. reason says why it may differ: a case that differs
// without one fails the test.
func (y *Tally) Count(name, reason string, same bool) {
	y.cases++
	switch {
	case same && reason == "":
		y.same++
		return
	case reason == "":
		y.t.Errorf("%s comes out otherwise", name)
		reason = "comes out otherwise"
	}
	y.others = append(y.others, name+"\n\t"+strings.ReplaceAll(reason, "\n", " "))
}

// Compare holds the share and the list of the others against a file.
func (y *Tally) Compare(path string) {
	y.t.Helper()
	slices.Sort(y.others)
	got := fmt.Sprintf("%d of %d published cases come out the same.\n", y.same, y.cases)
	y.t.Log(got)
	if len(y.others) > 0 {
		got += "\nThe flags of these are left out, or the cases come out otherwise, for these reasons:\n\n" + strings.Join(y.others, "\n") + "\n"
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			y.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		y.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		y.t.Errorf("want -, got +\n%s", diff)
	}
}
