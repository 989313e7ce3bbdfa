package harness

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what the stories say; read the diff")

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, newWorld(t), string(source))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(source), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// tell runs a story and returns it with the outputs it had now. A block is
// comments, a command, its input (indented lines), "----" and the output, up to an
// empty line.
func tell(t *testing.T, w *world, source string) string {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(source), "\n\n") {
		command, _, ok := strings.Cut(block, "\n----")
		if !ok {
			out.WriteString(block + "\n\n") // a comment by itself
			continue
		}
		out.WriteString(command + "\n----\n" + w.run(t, command) + "\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// run carries out one command and returns what the house says, each line ended.
func (w *world) run(t *testing.T, block string) string {
	t.Helper()
	lines := strings.Split(block, "\n")
	for len(lines) > 1 && strings.HasPrefix(lines[0], "#") {
		lines = lines[1:]
	}
	name, rest, _ := strings.Cut(lines[0], " ")
	do, ok := w.commands()[name]
	if !ok {
		t.Fatalf("the story has the unknown command %q", name)
	}
	text, err := do(rest, strings.Join(lines[1:], "\n")+"\n")
	if err != nil {
		text += fmt.Sprintf("refused: %v\n", err)
	}
	return strings.ReplaceAll(text, "\n\n", "\n")
}

// words are the "name=value" arguments of a command.
type words map[string]string

func parse(args string) words {
	w := words{}
	for field := range strings.FieldsSeq(args) {
		name, value, _ := strings.Cut(field, "=")
		w[name] = strings.ReplaceAll(value, "_", " ")
	}
	return w
}
