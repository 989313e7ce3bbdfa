package dashboards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func html(t *testing.T, page Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, page); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRender_golden(t *testing.T) {
	for name, page := range samples() {
		t.Run(name, func(t *testing.T) {
			got, file := html(t, page), filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the page is not the golden one (run with -update and read the diff):\n%s", diff)
			}
		})
	}
}

// unwritten is a page that nobody wrote a template for.
type unwritten struct{ Frame }

func (unwritten) template() string { return "unwritten" }

func TestRender_refusesWhatHasNoTemplate(t *testing.T) {
	var b bytes.Buffer
	if err := Render(&b, unwritten{}); err == nil || b.Len() > 0 {
		t.Errorf("a page without a template wrote %d bytes, error %v", b.Len(), err)
	}
}

// TestTemplates_belongToPages: no template is left over.
func TestTemplates_belongToPages(t *testing.T) {
	used := map[string]bool{}
	for _, p := range samples() {
		used[p.template()] = true
	}
	for name := range pages {
		if !used[name] {
			t.Errorf("the template %s is not shown by any sample", name)
		}
	}
}
