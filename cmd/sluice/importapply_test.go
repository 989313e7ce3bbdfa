package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// Documents are cut into parts that hold, with what they need, what one request
// can; what is needed comes along, in the order of all.
func TestFitting(t *testing.T) {
	text := func(key string, share float64, needs ...string) transfer {
		d := transfer{named: named{key, strings.Repeat("x", int(share*manifest.MaxBytes))}, of: subject{flagKind, key}}
		for _, n := range needs {
			d.needs = append(d.needs, subject{flagKind, n})
		}
		return d
	}
	names := func(docs []transfer) (out string) {
		for _, d := range docs {
			out += d.Name
		}
		return out
	}
	docs := []transfer{text("s", .4), text("a", .4, "s"), text("b", .4), text("c", .3, "a", "elsewhere"), text("d", 2), text("e", .1)}
	var got []string
	for _, part := range fitting(docs) {
		got = append(got, names(part)+" with "+names(closure(docs, part)))
	}
	want := []string{"sa with sa", "b with b", "c with sac", "d with d", "e with e"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if parts := fitting(nil); parts != nil {
		t.Errorf("nothing is %v", parts)
	}
}

// A large export goes in several requests, and nothing of it is done when
// something in the last would be refused.
func TestImport_ofSeveralParts(t *testing.T) {
	h := memoryHouse(t)
	flag := func(needs string) string {
		value, _ := json.Marshal(strings.Repeat("v", 300_000))
		if needs != "" {
			needs = fmt.Sprintf(`{"key":%q,"variation":1}`, needs)
		}
		return fmt.Sprintf(`{"on":true,"variations":["off",%s],"offVariation":0,"fallthrough":{"variation":1},"prerequisites":[%s]}`, value, needs)
	}
	export := func(more string) []string {
		text := `{"flags":{"a":` + flag("") + `,"b":` + flag("") + `,"c":` + flag("a") + `,"d":` + flag("") + more + `}}`
		file := filepath.Join(t.TempDir(), "export.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"import", file, "--from", "launchdarkly", "-e", "production", "--owner", "growth"}
	}
	last := func() uint64 {
		n, err := h.Log.(*event.MemLog).Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := last()
	if said := says(t, export(`,"e":`+flag("c"))); !strings.Contains(said, "nothing has been done") || !strings.Contains(said, "prerequisites[0]") || last() != before {
		t.Errorf("%d events are written, and said is\n%s", last()-before, said)
	}
	if said := says(t, export("")); strings.Count(said, "created") != 4 || last() != before+4 {
		t.Errorf("%d events are written, and said is\n%s", last()-before, said)
	}
}
