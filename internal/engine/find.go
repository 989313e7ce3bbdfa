package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// ErrMissing says that the engine's library is nowhere. Its text names the
// command that fetches it.
var ErrMissing = errors.New("the embedded ClickHouse engine is not installed; run `make engine` (npm ci), " +
	"or name a ClickHouse server with --clickhouse")

// Places are where Find looks, in this order. Empty ones are passed over.
type Places struct {
	Given      string // a library that somebody named: it or nothing
	Executable string // the running program; the library may lie beside it
	Dir        string // working directory; node_modules is looked for upward from here
	Data       string // data directory of the service
}

// Find returns the path of libchdb, or an error that wraps ErrMissing.
func Find(p Places) (string, error) {
	if p.Given != "" {
		if !isFile(p.Given) {
			return "", fmt.Errorf("there is no library at %s: %w", p.Given, ErrMissing)
		}
		return p.Given, nil
	}
	for _, path := range p.candidates() {
		if isFile(path) {
			return path, nil
		}
	}
	return "", ErrMissing
}

const libraryName = "libchdb.so" // on macOS too

func (p Places) candidates() []string {
	var out []string
	if p.Executable != "" {
		out = append(out, filepath.Join(filepath.Dir(p.Executable), libraryName))
	}
	if dir, err := filepath.Abs(p.Dir); p.Dir != "" && err == nil {
		for ; ; dir = filepath.Dir(dir) {
			out = append(out, filepath.Join(dir, "node_modules", "@chdb", npmName(), libraryName))
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if p.Data != "" {
		out = append(out, filepath.Join(p.Data, libraryName))
	}
	return out
}

// npmName is the package that holds the library for this platform.
func npmName() string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	name := "lib-" + runtime.GOOS + "-" + arch
	if runtime.GOOS == "linux" {
		name += "-gnu"
	}
	return name
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
