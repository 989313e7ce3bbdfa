package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	one     = "store/0a/0a1/one.sql"
	two     = "store/0a/0a1/two.sql"
	first   = "ATTACH TABLE _ UUID 'x'\n(\n    `a` Int64\n)\nENGINE = MergeTree\n"
	second  = "ATTACH TABLE _ UUID 'x'\n(\n    `a` Int64,\n    `b` Int64\n)\nENGINE = MergeTree\n"
	foreign = "metadata/other.sql"
)

func write(t *testing.T, d definitions, name, text string) {
	t.Helper()
	path := filepath.Join(d.path, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func texts(t *testing.T, d definitions) map[string]string {
	t.Helper()
	names, err := d.names()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(d.path, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

// TestDefinitions: what was whole once comes back, what never was goes, and what
// is whole is left alone.
func TestDefinitions(t *testing.T) {
	for name, torn := range map[string]string{"empty": "", "cut off": first[:20], "zeros": strings.Repeat("\x00", 100)} {
		d := definitions{filepath.Join(t.TempDir(), "with [marks]", "data")}
		if err := d.keep(); err != nil {
			t.Errorf("of no engine yet: %v", err)
		}
		write(t, d, one, first)
		write(t, d, foreign, first)
		if err := d.keep(); err != nil {
			t.Fatal(err)
		}
		write(t, d, foreign, second) // altered since it was kept
		write(t, d, one, torn)
		write(t, d, two, torn)
		if err := d.keep(); err == nil || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), two) {
			t.Errorf("%s: keeping it: %v", name, err)
		}
		mended, err := d.mend()
		if diff := cmp.Diff([]string{one, two}, mended); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +mended):\n%s", name, err, diff)
		}
		if diff := cmp.Diff(map[string]string{one: first, foreign: second}, texts(t, d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if mended, err = d.mend(); len(mended) > 0 || err != nil {
			t.Errorf("%s: mended again: %v, %v", name, mended, err)
		}
	}
}

// TestDefinitions_refuses: what can be neither read nor written is said by name.
func TestDefinitions_refuses(t *testing.T) {
	d := definitions{filepath.Join(t.TempDir(), "data")}
	write(t, d, one, first)
	write(t, d, "../data.definitions", "a file where the copies are to be")
	if err := d.keep(); err == nil || !strings.Contains(err.Error(), one) {
		t.Errorf("keeping: %v", err)
	}
	write(t, d, one, "")
	if _, err := d.mend(); err == nil || !strings.Contains(err.Error(), one) {
		t.Errorf("mending: %v", err)
	}
}
