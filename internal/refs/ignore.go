package refs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// ignores holds the patterns of the .gitignore files met so far. A pattern is
// bound to its folder, so that those of other folders do no harm.
type ignores struct {
	tree     fs.FS
	patterns []gitignore.Pattern
}

// enter reads the .gitignore of a folder, if it has one.
func (g *ignores) enter(folder string) error {
	text, err := fs.ReadFile(g.tree, path.Join(folder, ".gitignore"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading .gitignore of %s: %w", folder, err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line != "" && !strings.HasPrefix(line, "#") {
			g.patterns = append(g.patterns, gitignore.ParsePattern(line, parts(folder)))
		}
	}
	return lines.Err()
}

func (g *ignores) match(file string, isDir bool) bool {
	return gitignore.NewMatcher(g.patterns).Match(parts(file), isDir)
}

// parts splits a path; the root has none.
func parts(file string) []string {
	if file == "." {
		return nil
	}
	return strings.Split(file, "/")
}
