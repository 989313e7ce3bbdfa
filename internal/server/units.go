package server

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// maxList bounds the body that brings a whole list, and listTime how long it
// may be on its way.
const (
	maxList  = 64 << 20
	listTime = 5 * time.Minute
)

// putUnits replaces one list of a segment by the lines of the body. One body is
// read at a time: a million ids take memory.
func (s *server) putUnits(w http.ResponseWriter, r *http.Request) error {
	key, query := mux.Vars(r)["key"], r.URL.Query()
	name, err := listNamed(query.Get("list"))
	if err != nil {
		return err
	}
	s.bringing.Lock()
	defer s.bringing.Unlock()
	// A time of the connection, not of the house; a writer without one has none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(listTime))
	ids, err := readUnits(wide(w, r, maxList))
	if err != nil {
		return err
	}
	list, err := s.stock(r.Context(), string(name), flags.ListOf(ids...))
	if err != nil {
		return err
	}
	if err := s.replaceList(r, key, name, list, query.Get("comment")); err != nil && !errors.Is(err, flags.ErrUnchanged) {
		return err
	}
	out, err := s.getSegment(r.Context(), &segmentKey{key})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out.Body)
}

func listNamed(name string) (flags.ListName, error) {
	switch list := flags.ListName(name); list {
	case "":
		return flags.IncludedList, nil
	case flags.IncludedList, flags.ExcludedList:
		return list, nil
	}
	return "", event.Invalids{{Path: "query.list", Value: name, Why: "is not a list of a segment", Fix: "write included or excluded"}}
}

func (s *server) replaceList(r *http.Request, key string, name flags.ListName, list flags.UnitList, comment string) error {
	return s.record(r.Context(), func() (event.Event, event.Expect, error) {
		old, ok := s.Flags.Segment(key)
		if !ok {
			return event.Event{}, 0, fmt.Errorf("segment %s: %w", key, errNoSuch)
		}
		doc := old.Segment
		if name == flags.IncludedList {
			doc.Included = list
		} else {
			doc.Excluded = list
		}
		return s.Flags.HandleSegment(flags.SegmentCommand{
			Order: s.order(r.Context(), comment), Key: key, Changes: []flags.SegmentChange{{Op: flags.SegmentDefine, Segment: &doc}}, May: agrees(r.Context()),
		})
	})
}

// maxFaults bounds how many wrong lines are told of: the rest are like them.
const maxFaults = 20

// readUnits reads ids, one a line, as text or as JSON strings. Empty lines are
// passed over.
func readUnits(body io.Reader) ([]string, error) {
	ids, faults := []string{}, event.Invalids{} // an empty list is not an absent one
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 8<<10), 8<<10)
	for n := 1; lines.Scan(); n++ {
		id := strings.TrimSpace(lines.Text())
		if id == "" {
			continue
		}
		id, why := unitOfLine(id)
		if why != "" {
			faults.Add("line "+strconv.Itoa(n), id, why, "write one id a line")
		}
		if ids = append(ids, id); len(ids) > flags.MaxUnits {
			faults.Add("line "+strconv.Itoa(n), nil, fmt.Sprintf("is more than %d ids", flags.MaxUnits), "write a condition instead")
		}
		if len(faults) >= maxFaults || len(ids) > flags.MaxUnits {
			break
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		faults.Add("", nil, "has a line that is too long for an id", "write one id a line")
	} else if err != nil {
		return nil, err
	}
	return ids, faults.Err()
}

func unitOfLine(line string) (id, why string) {
	if strings.HasPrefix(line, `"`) {
		if err := json.Unmarshal([]byte(line), &id); err != nil {
			return line, "is not a JSON string"
		}
		return id, flags.CheckUnit(id)
	}
	return line, flags.CheckUnit(line)
}

// getUnits writes the ids of a segment's list, one a line.
func (s *server) getUnits(w http.ResponseWriter, r *http.Request) error {
	name, err := listNamed(r.URL.Query().Get("list"))
	if err != nil {
		return err
	}
	key := mux.Vars(r)["key"]
	out, err := s.getSegment(r.Context(), &segmentKey{key})
	if err != nil {
		return err
	}
	list := out.Body.Included
	if name == flags.ExcludedList {
		list = out.Body.Excluded
	}
	var bulk *flags.Units
	if list.Bulk != nil {
		if bulk, err = s.list(r.Context(), *list.Bulk); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	b := bufio.NewWriter(w)
	for id := range list.All(bulk) {
		_, _ = b.WriteString(id + "\n")
	}
	_ = b.Flush() // the client is gone if this fails
	return nil
}

// getList writes the bulk of a list, as an SDK asks for it that has a ruleset
// of its environment which names it.
func (s *server) getList(w http.ResponseWriter, r *http.Request) error {
	name, environment := mux.Vars(r)["sha256"], environment(r, who(r.Context()))
	if _, err := s.sets.at(environment); err != nil {
		return err
	}
	var bulks []flags.UnitBulk
	s.Projection.View(func(uint64) { bulks = s.Flags.ListsOf(environment) })
	i := slices.IndexFunc(bulks, func(b flags.UnitBulk) bool { return b.SHA256.String() == name })
	if i < 0 {
		return fmt.Errorf("list %s of %s: %w", name, environment, errNoSuch)
	}
	list := s.sets.fresh().lists[bulks[i].SHA256]
	if list == nil { // the ruleset is newer than what is answered from
		return cmp.Or(s.sets.whole(), fmt.Errorf("%w: list %s", errLists, name))
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.FormatInt(bulks[i].Size, 10))
	h.Set("Cache-Control", "private, immutable, max-age=31536000") // its name is its hash
	// A time of the connection, not of the house; a writer without one has none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(listTime))
	_, _ = list.WriteTo(w) // the client is gone if this fails
	return nil
}
