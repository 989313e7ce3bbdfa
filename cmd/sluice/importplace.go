package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// place is the note of how far an import is, for the next run of it. Nothing
// depends on it but time: what is sent again changes nothing.
type place struct {
	path  string
	print string // of what is imported, whereto and how: a note of something else is none
	was   imported
	noted time.Time
}

// note is what the file holds.
type note struct {
	Import string   `json:"import"`
	Total  imported `json:"total"`
}

// openPlace reads the note of an import that is made of these parts.
func openPlace(path string, parts [][]byte) *place {
	sum := sha256.New()
	for _, part := range parts {
		inner := sha256.Sum256(part)
		sum.Write(inner[:]) // a hash never fails
	}
	p := &place{path: path, print: hex.EncodeToString(sum.Sum(nil)), noted: now()}
	var n note
	b, err := os.ReadFile(path)
	if err == nil && json.Unmarshal(b, &n) == nil && n.Import == p.print {
		p.was = n.Total
	}
	return p
}

// note writes down how far the import is: about once a second, or at once.
func (p *place) note(total imported, atOnce bool) error {
	if p == nil || !atOnce && now().Sub(p.noted) < time.Second {
		return nil
	}
	p.noted = now()
	b, err := json.Marshal(note{p.print, total})
	if err != nil {
		return fmt.Errorf("encoding how far the import is: %w", err)
	}
	if err := keep(p.path, b); err != nil {
		return fmt.Errorf("noting how far the import is: %w; name another file with --state", err)
	}
	return nil
}

// finish takes the note away.
func (p *place) finish() error {
	if p == nil {
		return nil
	}
	if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("taking away how far the import was: %w", err)
	}
	return nil
}

// rejects is the file of the rows that became no event, or that the server
// turned away. Nil writes nothing.
type rejects struct {
	file *os.File
	out  *json.Encoder
}

// openRejects opens the file; an import that goes on adds to it.
func openRejects(path string, more bool) (*rejects, error) {
	if path == "" {
		return nil, nil
	}
	how := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if more {
		how = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, how, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the file of rejected rows: %w", err)
	}
	return &rejects{f, json.NewEncoder(f)}, nil
}

// write adds all faults of a stretch.
func (r *rejects) write(s *stretch) error {
	if r == nil {
		return nil
	}
	all := append([]event.Invalid(nil), s.faults...)
	for _, f := range s.receipt.Rejected {
		all = append(all, rejected(fmt.Sprintf("row %d", s.of[f.Index]), f))
	}
	for _, f := range all {
		if err := r.out.Encode(f); err != nil {
			return fmt.Errorf("writing rejected rows: %w", err)
		}
	}
	return nil
}

func (r *rejects) close() error {
	if r == nil {
		return nil
	}
	return r.file.Close()
}
