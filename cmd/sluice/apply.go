package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// applyCmd sends documents to the server, which checks and records them.
type applyCmd struct {
	client
	File    []string `arg:"" help:"YAML file, directory of such files, or - for standard input."`
	Comment string   `short:"m" help:"Why, for the history."`
	Start   bool     `help:"Start the rollouts among the documents."`
}

// applied is what the server did with one document.
type applied struct {
	Kind     string `json:"kind"`
	Key      string `json:"key"`
	Change   string `json:"change"` // created, changed, unchanged
	Revision uint64 `json:"revision"`
}

// Run applies file after file; the first that is refused ends it.
func (c applyCmd) Run(ctx context.Context) error {
	files, err := gather(c.File)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := c.apply(ctx, f); err != nil {
			return fmt.Errorf("%s:\n%w", f, err)
		}
	}
	return nil
}

func (c applyCmd) apply(ctx context.Context, file string) error {
	source, err := slurp(file)
	if err != nil {
		return err
	}
	done, err := c.applyDocuments(ctx, source, c.Comment, c.Start)
	for _, d := range done {
		fmt.Printf("%s %s %s (revision %d)\n", strings.ToLower(d.Kind), d.Key, d.Change, d.Revision)
	}
	return err
}

// applyDocuments sends one file's documents. What was done before one was
// refused is returned next to the error.
func (c client) applyDocuments(ctx context.Context, source []byte, comment string, start bool) ([]applied, error) {
	var out struct {
		Applied []applied `json:"applied"`
	}
	query := url.Values{"comment": {comment}, "start": {fmt.Sprint(start)}}
	err := c.do(ctx, "POST", "/api/v1/apply?"+query.Encode(), "application/yaml", source, &out)
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
			if err == nil && !d.IsDir() && (path == a || strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("looking for documents: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no .yaml file in %s", strings.Join(args, ", "))
	}
	return files, nil
}

func slurp(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(file)
}
