// Package refs finds the flags that a source tree uses: every place where a
// flag's key stands between quotes, or where a constant stands that was given
// such a key. It reads a tree through fs.FS, obeys its .gitignore files, and
// never looks at what git would not look at. It keeps places alone, no source
// text.
//
//	found, err := refs.Scan(os.DirFS("."), refs.Config{Keys: []string{"checkout.express-pay"}})
//	for _, r := range found.References { … r.Path, r.Line … }
package refs

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
)

// Config says what to look for.
type Config struct {
	Keys    []string            // of flags
	Aliases map[string][]string // flag -> other words for it in the code, such as wrapper functions
	All     bool                // look into every text file, not only those of languages that are known
}

// Reference is one line that uses a flag.
type Reference struct {
	Flag  string `json:"flag"`
	Path  string `json:"path"`            // slash-separated, from the root of the tree
	Line  int    `json:"line"`            // from 1
	Alias string `json:"alias,omitempty"` // the word that stands for the key there; empty: the key itself
}

// Found is what a scan came to.
type Found struct {
	References []Reference `json:"references"` // by flag, path and line
	Files      int         `json:"files"`      // that were read
	Passed     int         `json:"passed"`     // that were passed over: too large, binary, or of no known language
}

// Counts returns the number of references of each flag.
func (f Found) Counts() map[string]int {
	counts := map[string]int{}
	for _, r := range f.References {
		counts[r.Flag]++
	}
	return counts
}

// largest is the size up to which a file is read. Larger ones are generated.
const largest = 2 << 20

// Scan reads a tree twice: once for keys and for the constants that hold them,
// and, when there are such constants or aliases, once more for those.
func Scan(tree fs.FS, c Config) (Found, error) {
	s := scanner{tree: tree, config: c, keys: map[string]bool{}, aliases: map[string]string{}}
	for _, key := range c.Keys {
		s.keys[key] = true
		for _, alias := range c.Aliases[key] {
			s.aliases[alias] = key
		}
	}
	if err := s.walk(s.literals); err != nil {
		return Found{}, err
	}
	if len(s.aliases) > 0 {
		s.found.Files, s.found.Passed = 0, 0
		if err := s.walk(s.words); err != nil {
			return Found{}, err
		}
	}
	slices.SortFunc(s.found.References, func(a, b Reference) int {
		return cmp.Or(cmp.Compare(a.Flag, b.Flag), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Alias, b.Alias))
	})
	s.found.References = slices.CompactFunc(s.found.References, func(a, b Reference) bool {
		return a.Flag == b.Flag && a.Path == b.Path && a.Line == b.Line // the key comes before its aliases
	})
	return s.found, nil
}

// scanner is one scan under way.
type scanner struct {
	tree    fs.FS
	config  Config
	keys    map[string]bool
	aliases map[string]string // word -> flag
	found   Found
}

// walk gives every line of every file that counts to look.
func (s *scanner) walk(look func(file string, line int, text []byte)) error {
	ignored := ignores{tree: s.tree}
	return fs.WalkDir(s.tree, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("reading %s: %w", file, err)
		case file == ".":
			return ignored.enter(file)
		case d.Name() == ".git" || ignored.match(file, d.IsDir()):
			return pass(d)
		case d.IsDir():
			return ignored.enter(file)
		case !d.Type().IsRegular():
			return nil // a link leads out of the tree, or to a file that is met anyway
		}
		return s.file(file, look)
	})
}

// pass passes over a file, or a folder with all that is in it.
func pass(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func (s *scanner) file(file string, look func(string, int, []byte)) error {
	if !s.config.All && !known(path.Base(file)) {
		s.found.Passed++
		return nil
	}
	text, err := read(s.tree, file)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	if text == nil {
		s.found.Passed++
		return nil
	}
	s.found.Files++
	for number := 1; len(text) > 0; number++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		look(file, number, line)
		text = rest
	}
	return nil
}

// read returns a file's text, nil when it is too large or no text.
func read(tree fs.FS, file string) ([]byte, error) {
	f, err := tree.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil || len(text) > largest || bytes.IndexByte(text, 0) >= 0 {
		return nil, err
	}
	return text, nil
}
