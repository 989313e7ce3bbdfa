package dashboards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
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

// unhashed names assets without the hash of what they hold: a rule of the style
// sheet changes no page.
func unhashed(page string) string { return assetHash.ReplaceAllString(page, "$1$2") }

var assetHash = regexp.MustCompile(`(/assets/[a-z0-9.-]+?)\.[0-9a-f]{12}(\.(?:css|js|svg))`)

func TestRender_golden(t *testing.T) {
	for name, page := range samples() {
		t.Run(name, func(t *testing.T) {
			got, file := unhashed(html(t, page)), filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(unhashed(string(want)), got); diff != "" {
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
