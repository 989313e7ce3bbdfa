package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/refs"
	"github.com/sluice-hq/sluice/internal/server"
)

// refsCmd is about where code uses flags.
type refsCmd struct {
	Scan refsScanCmd `cmd:"" help:"Find the flags that a source tree uses, and tell the server."`
}

// refsScanCmd finds the flags that a source tree uses.
type refsScanCmd struct {
	client
	output
	Dir        string   `arg:"" help:"Root of the tree."`
	Repository string   `help:"Name of the repository, such as github.com/acme/shop; default: the remote origin of the clone."`
	Revision   string   `help:"Commit that is read; default: the one that is checked out."`
	Alias      []string `help:"Another word for a flag in the code, such as a wrapper's name; may be repeated." placeholder:"FLAG=WORD"`
	All        bool     `help:"Read every text file, not only those of languages that are known."`
	DryRun     bool     `help:"Tell the server nothing."`
	Comment    string   `short:"m" help:"Why, for the log."`
}

// Help says what a scan finds.
func (refsScanCmd) Help() string {
	return "Keys count where they stand between quotes, and the constants that hold them wherever they stand. What .gitignore names is passed over. " +
		"The newest scan of a repository replaces the one before; run it wherever the main branch is built."
}

// scanned is what a scan came to, as it is printed.
type scanned struct {
	Repository string           `json:"repository,omitempty"`
	Revision   string           `json:"revision,omitempty"`
	Change     string           `json:"change,omitempty"` // what became of it on the server; empty: it was told nothing
	Files      int              `json:"files"`
	Passed     int              `json:"passed"`
	Counts     map[string]int   `json:"counts"`
	References []refs.Reference `json:"references"`
	Unused     []string         `json:"unused"` // flags that are not archived, and not in this tree
}

// Run scans, tells the server and prints what there is.
func (c refsScanCmd) Run(ctx context.Context) error {
	tree := os.DirFS(c.Dir)
	if err := c.origin(); err != nil {
		return err
	}
	all, err := list[server.FlagView](ctx, c.client, "/api/v1/flags", "flags", url.Values{}, 0)
	if err != nil {
		return err
	}
	look, err := c.config(all)
	if err != nil {
		return err
	}
	found, err := refs.Scan(tree, look)
	if err != nil {
		return fmt.Errorf("scanning %s: %w", c.Dir, err)
	}
	out := scanned{
		Repository: c.Repository, Revision: c.Revision, Files: found.Files, Passed: found.Passed,
		Counts: found.Counts(), References: append([]refs.Reference{}, found.References...), Unused: unused(all, found.Counts()),
	}
	if !c.DryRun {
		if out.Change, err = c.upload(ctx, found); err != nil {
			return err
		}
	}
	return c.write(out, func(w io.Writer) { out.table(w, all) })
}

// origin fills in what the clone says of itself.
func (c *refsScanCmd) origin() error {
	if c.DryRun || c.Repository != "" && c.Revision != "" {
		return nil
	}
	repository, revision, err := refs.Origin(os.DirFS(c.Dir))
	if err != nil {
		return fmt.Errorf("%s does not say what it is a revision of, so that it takes --repository and --revision: %w", c.Dir, err)
	}
	if c.Repository == "" {
		c.Repository = repository
	}
	if c.Revision == "" {
		c.Revision = revision
	}
	return nil
}

// config says what to look for: the keys of all flags, also archived ones, and
// the words that stand for them.
func (c refsScanCmd) config(all []server.FlagView) (refs.Config, error) {
	look := refs.Config{Aliases: map[string][]string{}, All: c.All}
	known := map[string]bool{}
	for _, f := range all {
		look.Keys, known[f.Key] = append(look.Keys, f.Key), true
	}
	var faults []error
	for _, a := range c.Alias {
		flag, word, ok := strings.Cut(a, "=")
		switch {
		case !ok || word == "":
			faults = append(faults, fmt.Errorf("--alias %q has no word; write FLAG=WORD", a))
		case !known[flag]:
			faults = append(faults, fmt.Errorf("--alias %q names no flag that there is", a))
		default:
			look.Aliases[flag] = append(look.Aliases[flag], word)
		}
	}
	return look, errors.Join(faults...)
}

func unused(all []server.FlagView, counts map[string]int) []string {
	out := []string{} // never null in JSON
	for _, f := range all {
		if !f.Archived && counts[f.Key] == 0 {
			out = append(out, f.Key)
		}
	}
	return out
}

// upload tells the server what was found, and returns what became of it.
func (c refsScanCmd) upload(ctx context.Context, found refs.Found) (string, error) {
	places := make([]flags.Place, len(found.References))
	for i, r := range found.References {
		places[i] = flags.Place(r)
	}
	var answer struct{ Change string }
	err := c.post(ctx, "/api/v1/references", map[string]any{
		"repository": c.Repository, "revision": c.Revision, "files": found.Files, "references": places, "comment": c.Comment,
	}, &answer)
	var large *apiError
	if errors.As(err, &large) && large.Status == http.StatusRequestEntityTooLarge {
		return "", fmt.Errorf("%w; scan parts of the tree, each with a --repository of its own", err)
	}
	return answer.Change, err
}

// shownPlaces is how many places of a flag the table has.
const shownPlaces = 3

func (s scanned) table(w io.Writer, all []server.FlagView) {
	if len(s.References) > 0 {
		fmt.Fprintln(w, "FLAG\tSTAGE\tPLACES\tWHERE")
	}
	for _, f := range all {
		if n := s.Counts[f.Key]; n > 0 {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", f.Key, f.Lifecycle.Stage, n, s.where(f.Key))
		}
	}
	if len(s.Unused) > 0 {
		fmt.Fprintf(w, "Not in this code: %s.\n", strings.Join(s.Unused, ", "))
	}
	files := "files"
	if s.Files == 1 {
		files = "file"
	}
	fmt.Fprintf(w, "%d %s read, %d passed over.\n", s.Files, files, s.Passed)
	switch s.Change {
	case "":
		fmt.Fprintln(w, "The server was told nothing.")
	case "unchanged":
		fmt.Fprintf(w, "%s at %s was known already.\n", s.Repository, s.Revision)
	default:
		fmt.Fprintf(w, "This is what %s uses from now on, as of %s.\n", s.Repository, s.Revision)
	}
}

// where lists the first places of a flag.
func (s scanned) where(key string) string {
	var places []string
	for _, r := range s.References {
		if r.Flag == key && len(places) < shownPlaces {
			places = append(places, fmt.Sprintf("%s:%d", r.Path, r.Line))
		}
	}
	if more := s.Counts[key] - len(places); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(places, ", "), more)
	}
	return strings.Join(places, ", ")
}
