package sdk

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
)

// TestRecall: of what is at hand the newest is taken; what is damaged, or of
// another environment, is not, and the log says why.
func TestRecall(t *testing.T) {
	older, newer := encoded(t, comparing(5, 1)), encoded(t, comparing(9, 1))
	for _, test := range []struct {
		name            string
		file, bootstrap []byte
		environment     string
		want            Source
		revision        uint64
		says            string
	}{
		{"nothing", nil, nil, "", "", 0, ""},
		{"file", newer, nil, "", FromLastKnown, 9, ""},
		{"newer file", newer, older, "", FromLastKnown, 9, ""},
		{"newer bootstrap", older, newer, "", FromBootstrap, 9, ""},
		{"damaged file", newer[:len(newer)-9], older, "", FromBootstrap, 5, "the last-known flags are damaged"},
		{"damaged bootstrap", older, []byte("{"), "", FromLastKnown, 5, "the bootstrap data is not used"},
		{"both damaged", []byte("x"), []byte("y"), "", "", 0, "are not used"},
		{"another environment", newer, older, "staging", "", 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, c := &journal{}, config(offline)
			c.Dir, c.Bootstrap, c.Environment, c.Log = t.TempDir(), test.bootstrap, test.environment, j.logger()
			if test.file != nil {
				if err := os.WriteFile(filepath.Join(c.Dir, lastKnownFile), test.file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			p.recall()
			if v := p.Status(); v.Source != test.want || v.Revision != test.revision || !j.has(test.says) {
				t.Errorf("got %+v, log %q", v, j.lines.String())
			}
		})
	}
}

// A second process is told that the folder is not its own, and goes on without.
func TestOneProcessPerFolder(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	c := config(offline)
	c.Dir, c.Bootstrap = dir, encoded(t, comparing(5, 1))
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Init(openfeature.EvaluationContext{}); err != nil || !strings.Contains(p.Stats().Disk, "another process") {
		t.Errorf("%v, %+v", err, p.Stats())
	}
	p.Shutdown()
	unlock()
	if again, err := lock(filepath.Join(dir, "lock")); err != nil {
		t.Error(err)
	} else {
		again()
	}
}

// A snapshot is bootstrap data.
func TestSnapshot(t *testing.T) {
	c := config(offline)
	c.Bootstrap = encoded(t, comparing(5, 2))
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := p.Snapshot(); b != nil || err != nil {
		t.Errorf("without flags: %q, %v", b, err)
	}
	p.recall()
	b, err := p.Snapshot()
	k, bad := decodeLastKnown(b)
	if err != nil || bad != nil || k.Revision != 5 || len(k.rules.flags) != 2 || !json.Valid(b[:strings.IndexByte(string(b), '\n')]) {
		t.Errorf("%v, %v, %+v", err, bad, k)
	}
}
