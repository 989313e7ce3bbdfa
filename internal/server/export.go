package server

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	flagdoc "github.com/sluice-hq/sluice/flags/flagd"
)

// exports keeps the flags of every environment as documents of flagd. Each is
// written once for every change.
type exports struct {
	mu   sync.Mutex // held while writing
	made map[string]export
}

// export is one environment's document.
type export struct {
	revision uint64
	body     []byte
	tag      string
	changed  time.Time
	left     event.Invalids // why flags are not in it
}

// errNotExported says that a whole document was asked for, and there is none.
var errNotExported = errors.New("flagd cannot say every flag of the environment")

// headerNotExported counts the flags' faults beside a document that leaves some
// out; its metadata names them.
const headerNotExported = "Sluice-Not-Exported"

// flagsJSON serves an environment's flags as flagd reads them. Flags that it
// cannot say are left out, counted in a header and named in the document's
// metadata, so that one of them does not keep all others from their clients;
// with whole=true they are refused, with every path.
func (s *server) flagsJSON(w http.ResponseWriter, r *http.Request) error {
	doc, err := s.exported(mux.Vars(r)["environment"])
	if err != nil {
		return err
	}
	strict, err := strconv.ParseBool(r.URL.Query().Get("whole"))
	if err != nil && r.URL.Query().Has("whole") {
		return event.Invalid{Path: "whole", Value: r.URL.Query().Get("whole"), Why: "is not true or false"}
	}
	if strict && len(doc.left) > 0 {
		return fmt.Errorf("%w: %w", errNotExported, doc.left)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache") // may be kept, and must be asked for again
	h.Set("ETag", doc.tag)
	h.Set("Last-Modified", doc.changed.UTC().Format(http.TimeFormat))
	if len(doc.left) > 0 {
		h.Set(headerNotExported, strconv.Itoa(len(doc.left)))
	}
	if flags.NoneMatch(r.Header.Get("If-None-Match"), doc.tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, err = w.Write(doc.body)
	return err
}

// exported returns an environment's document as it is now.
func (s *server) exported(environment string) (export, error) {
	if _, err := s.sets.at(environment); err != nil {
		return export{}, err
	}
	s.exports.mu.Lock()
	defer s.exports.mu.Unlock()
	for {
		now := s.sets.fresh()
		doc, ok := s.exports.made[environment]
		switch {
		case ok && (doc.revision == now.revision || now.stale != nil): // what others are answered from is as old
			return doc, nil
		case now.stale != nil:
			return export{}, now.stale
		}
		if doc, ok := s.export(environment, now); ok {
			next := maps.Clone(s.exports.made)
			if next == nil {
				next = map[string]export{}
			}
			next[environment], s.exports.made = doc, next
			return doc, nil
		}
	}
}

// export writes a document of what is compiled; false when a change has come
// in between.
func (s *server) export(environment string, now *compiled) (export, bool) {
	doc := export{revision: now.revision}
	var rules flags.Ruleset
	same := false
	s.Projection.View(func(uint64) {
		if same = s.Flags.Revision() == now.revision; same {
			rules = s.Flags.Ruleset(environment)
			e, _ := s.Flags.Environment(environment)
			doc.changed = e.Changed
		}
	})
	if !same {
		return doc, false
	}
	for _, f := range rules.Flags {
		doc.changed = latest(doc.changed, f.Changed)
	}
	for _, segment := range rules.Segments {
		doc.changed = latest(doc.changed, segment.Changed)
	}
	written, left := flagdoc.Export(rules, now.lists)
	doc.body, doc.left = written.JSON(), left
	sum := sha256.Sum256(doc.body)
	doc.tag = `"` + hex.EncodeToString(sum[:16]) + `"`
	return doc, true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
