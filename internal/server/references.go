package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// ScanView is the newest scan of a repository.
type ScanView struct {
	Repository string         `json:"repository"`
	Revision   string         `json:"revision" doc:"commit that was read"`
	At         time.Time      `json:"at"`
	Actor      string         `json:"actor"`
	Files      int            `json:"files" doc:"that were read"`
	Flags      int            `json:"flags" doc:"that it uses"`
	Places     int            `json:"places" doc:"lines that use a flag"`
	Unknown    map[string]int `json:"unknown,omitempty" doc:"keys in the code that are no flag's, and how many places have them"`
}

type scanIn struct {
	Body struct {
		Repository string        `json:"repository" doc:"the scan replaces the one before of the same repository" example:"github.com/acme/shop"`
		Revision   string        `json:"revision" doc:"commit that was read"`
		Files      int           `json:"files,omitempty" doc:"that were read"`
		References []flags.Place `json:"references" doc:"every line that uses a flag, at most 20,000; none says that the code uses no flag"`
		Comment    string        `json:"comment,omitempty" doc:"why, for the log"`
	}
}

type scanOut struct {
	Body struct {
		ScanView
		Change string `json:"change" enum:"created,changed,unchanged"`
	}
}

// takeScan puts down what a scan of a source tree found.
func (s *server) takeScan(ctx context.Context, in *scanIn) (*scanOut, error) {
	scan, document, err := flags.Scan{Repository: in.Body.Repository, Revision: in.Body.Revision, Files: in.Body.Files}.Found(in.Body.References)
	if err != nil {
		return nil, err
	}
	if document != nil {
		name, err := s.Blobs.Put(ctx, document)
		if err != nil {
			return nil, fmt.Errorf("writing the places of a scan: %w", err)
		}
		scan.Places = &name
	}
	before, out := s.scanOf(scan.Repository), &scanOut{}
	out.Body.Change = change(before.Seq)
	err = s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Flags.HandleScan(flags.ScanCommand{Order: s.order(ctx, in.Body.Comment), Scan: scan})
	})
	if errors.Is(err, flags.ErrUnchanged) {
		out.Body.Change, err = unchanged, nil
	}
	if err != nil {
		return nil, err
	}
	after := s.scanOf(scan.Repository)
	s.Projection.View(func(uint64) { out.Body.ScanView = s.scanView(ctx, after) })
	return out, nil
}

// scanOf returns the newest scan of a repository, zero when there is none.
func (s *server) scanOf(repository string) (found flags.RecordedScan) {
	s.Projection.View(func(uint64) {
		for _, scan := range s.Flags.Scans() {
			if scan.Repository == repository {
				found = scan
			}
		}
	})
	return found
}

// scanView returns a scan as whoever asks may see it: with the keys that are
// his to read. Call it in a View.
func (s *server) scanView(ctx context.Context, scan flags.RecordedScan) ScanView {
	v := ScanView{Repository: scan.Repository, Revision: scan.Revision, At: scan.At, Actor: scan.Actor, Files: scan.Files, Unknown: map[string]int{}}
	for _, key := range s.Flags.NoFlags(scan.Scan) {
		if defines(ctx, key) {
			v.Unknown[key] = scan.Counts[key]
		}
	}
	for key, n := range scan.Counts {
		if _, ok := s.Flags.Flag(key); ok && defines(ctx, key) {
			v.Flags, v.Places = v.Flags+1, v.Places+n
		}
	}
	return v
}

type scansIn struct{ Page }

type scansOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		References []ScanView `json:"references" doc:"by repository"`
		Next       string     `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listScans(ctx context.Context, in *scansIn) (*scansOut, error) {
	var all []ScanView
	s.Projection.View(func(uint64) {
		for _, scan := range s.Flags.Scans() {
			all = append(all, s.scanView(ctx, scan))
		}
	})
	out := &scansOut{}
	page, next, err := cut(in.Page, rising("references", func(v ScanView) string { return v.Repository }), all)
	out.Body.References, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// Used is what a repository's newest scan says of one flag.
type Used struct {
	Repository string    `json:"repository"`
	Revision   string    `json:"revision" doc:"commit that was read"`
	At         time.Time `json:"at"`
	Count      int       `json:"count"`
	Places     []Line    `json:"places,omitempty"`
}

// Line is one line that uses the flag.
type Line struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Alias string `json:"alias,omitempty" doc:"the word that stands for the key there"`
}

type flagScansOut struct {
	Body struct {
		Count        *int   `json:"count,omitempty" doc:"places in all repositories; absent when none has been scanned"`
		Repositories []Used `json:"repositories" doc:"all that have been scanned, by name"`
	}
}

// flagScans tells where the code uses a flag.
func (s *server) flagScans(ctx context.Context, in *flagKey) (*flagScansOut, error) {
	if err := s.knownFlag(in.Key); err != nil {
		return nil, err
	}
	var scans []flags.RecordedScan
	out := &flagScansOut{}
	s.Projection.View(func(uint64) { scans, out.Body.Count = s.Flags.Scans(), s.Flags.References(in.Key) })
	out.Body.Repositories = []Used{}
	for _, scan := range scans {
		used, err := s.used(ctx, scan, in.Key)
		if err != nil {
			return nil, err
		}
		out.Body.Repositories = append(out.Body.Repositories, used)
	}
	return out, nil
}

func (s *server) used(ctx context.Context, scan flags.RecordedScan, key string) (Used, error) {
	u := Used{Repository: scan.Repository, Revision: scan.Revision, At: scan.At, Count: scan.Counts[key]}
	if u.Count == 0 || scan.Places == nil {
		return u, nil
	}
	document, err := s.Blobs.Load(ctx, *scan.Places)
	if err != nil {
		return u, fmt.Errorf("loading the places of a scan: %w", err)
	}
	places, err := flags.ReadPlaces(document, key)
	for _, p := range places {
		u.Places = append(u.Places, Line{p.Path, p.Line, p.Alias})
	}
	return u, err
}
