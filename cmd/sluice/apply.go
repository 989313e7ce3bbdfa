package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/internal/server"
)

// documents are files that people write, and what the server is to do with
// those that are gone.
type documents struct {
	File  []string `arg:"" help:"YAML or JSON files, directories of such files, or - for standard input."`
	Set   string   `help:"Name of the set of files that these are; it keeps their flags from now on."`
	Prune bool     `help:"Archive the flags of the set that are not in the files."`
}

// named is one file, read.
type named struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (d documents) read() ([]named, error) {
	names, err := gather(d.File)
	if err != nil {
		return nil, err
	}
	files := make([]named, len(names))
	for i, name := range names {
		source, err := slurp(name)
		if err != nil {
			return nil, fmt.Errorf("reading documents: %w", err)
		}
		files[i] = named{name, string(source)}
	}
	return files, nil
}

func (d documents) query(more ...string) url.Values {
	query := set(url.Values{}, append(more, "set", d.Set)...)
	if d.Prune {
		query.Set("prune", "true")
	}
	return query
}

// applyCmd sends documents to the server, which checks and records them.
type applyCmd struct {
	client
	documents
	Comment string `short:"m" help:"Why, for the history."`
	Start   bool   `help:"Start the rollouts among the documents."`
	DryRun  bool   `help:"Say what would change, or everything that would be refused."`
}

// Run applies the documents of all files in the order in which they depend on
// each other; the first that is refused ends it.
func (c applyCmd) Run(ctx context.Context) error {
	files, err := c.read()
	if err != nil {
		return err
	}
	query := c.query("comment", c.Comment)
	if c.Start {
		query.Set("start", "true")
	}
	if c.DryRun {
		query.Set("dryRun", "true")
	}
	done, err := c.applyFiles(ctx, files, query)
	if err == nil && c.DryRun {
		wouldChange(os.Stdout, slices.DeleteFunc(done, func(d server.Applied) bool { return d.Change == "unchanged" }))
		return nil
	}
	for _, d := range done {
		fmt.Printf("%s %s %s (revision %d)\n", strings.ToLower(d.Kind), d.Key, d.Change, d.Revision)
		for _, note := range d.Notes {
			fmt.Println(" ", note)
		}
	}
	return err
}

// applyFiles sends files in one request: a fault names the file that it is in.
func (c client) applyFiles(ctx context.Context, files []named, query url.Values) ([]server.Applied, error) {
	body, err := json.Marshal(map[string]any{"files": files})
	if err != nil {
		return nil, fmt.Errorf("encoding the files: %w", err)
	}
	var out struct {
		Applied []server.Applied `json:"applied"`
	}
	err = c.do(ctx, http.MethodPost, "/api/v1/apply?"+query.Encode(), server.FilesType, body, &out)
	var large *apiError
	if errors.As(err, &large) && large.Status == http.StatusRequestEntityTooLarge {
		return nil, fmt.Errorf("%w; apply them in several parts", err)
	}
	return out.Applied, err
}

// gather lists the files that arguments name, those of a directory in order.
func gather(args []string) ([]string, error) {
	var files []string
	for _, a := range args {
		if a == "-" {
			files = append(files, a)
			continue
		}
		err := filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (path == a || slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("looking for documents: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no .yaml, .yml or .json file in %s", strings.Join(args, ", "))
	}
	return files, nil
}

func slurp(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(file)
}
