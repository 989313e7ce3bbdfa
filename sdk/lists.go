package sdk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// library finds large lists of units: in memory, in a folder, on the server. A
// list is named by its hash and never changes.
type library struct {
	dir string // empty: none
	api *api   // nil: nothing is fetched
}

// lists returns those that a ruleset names, as far as they can be had. known are
// those in memory.
func (l library) lists(ctx context.Context, r flags.Ruleset, known flags.Lists) (flags.Lists, error) {
	lists := flags.Lists{}
	var errs []error
	for _, b := range r.Lists() {
		if lists[b.SHA256] != nil {
			continue // several revisions of a segment share it
		}
		if u := known[b.SHA256]; u != nil {
			lists[b.SHA256] = u
			continue
		}
		u, err := l.list(ctx, b)
		if err != nil {
			errs = append(errs, fmt.Errorf("loading a list of %d units: %w", b.Count, err))
			continue
		}
		lists[b.SHA256] = u
	}
	return lists, errors.Join(errs...)
}

// list reads the file, or asks for the list and keeps it.
func (l library) list(ctx context.Context, b flags.UnitBulk) (*flags.Units, error) {
	path := filepath.Join(l.dir, b.SHA256.String())
	if l.dir != "" {
		if text, err := os.ReadFile(path); err == nil && event.Hash(sha256.Sum256(text)) == b.SHA256 {
			return flags.ReadUnits(text)
		} // else it is not there, or damaged, and asked for
	}
	if l.api == nil {
		return nil, errors.New("it is not in the folder")
	}
	text, err := l.fetch(ctx, b)
	if err != nil {
		return nil, err
	}
	if l.dir != "" {
		_ = os.MkdirAll(l.dir, 0o700) // without it, writing says so
		err = writeWhole(path, text)
	}
	if err != nil {
		return nil, err
	}
	return flags.ReadUnits(text)
}

func (l library) fetch(ctx context.Context, b flags.UnitBulk) ([]byte, error) {
	answer, err := l.api.do(ctx, http.MethodGet, "/api/v1/lists/"+b.SHA256.String(), nil, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, b.Size+1))
	if err != nil {
		return nil, err
	}
	if event.Hash(sha256.Sum256(text)) != b.SHA256 {
		return nil, fmt.Errorf("%w: what came is not what the hash names", event.ErrDamaged)
	}
	return text, nil
}
