package flags

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sluice-hq/sluice/event"
)

// Place is one line of a source tree that uses a flag.
type Place struct {
	Flag  string `json:"flag"`
	Path  string `json:"path"`            // slash-separated, from the root of the tree
	Line  int    `json:"line"`            // from 1
	Alias string `json:"alias,omitempty"` // the word that stands for the key there; empty: the key itself
}

// Scan is what the source tree of a repository was found to use. It keeps the
// number of places by flag; the places themselves are a document.
type Scan struct {
	Repository string         `json:"repository"`       // such as github.com/acme/shop
	Revision   string         `json:"revision"`         // of the tree that was read: a commit
	Files      int            `json:"files,omitempty"`  // that were read
	Counts     map[string]int `json:"counts,omitempty"` // places by key, also by keys that are no flag's
	Places     *event.Blob    `json:"places,omitempty"` // the list of Place as JSON, by flag; nil: there is none
}

// RecordedScan is the newest scan of a repository, as the log has it.
type RecordedScan struct {
	Scan
	Seq   uint64    `json:"seq"` // of its event
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
}

// What a scan may have. Its counts are in one event, which has to fit into a
// message of the log with them.
const (
	MaxPlaces  = 20_000 // lines that use a flag
	MaxScanned = 4_000  // keys

	longestName = 128 // bytes of a repository, a revision and an alias
	longestPath = 1024
	lastLine    = 10_000_000
	mostFaults  = 20 // places that are told of: the rest are like them
)

// Found returns the scan with what it found: the counts, and the document of
// the places, which is nil when there is none and has to be stored before the
// scan is recorded with its name. The error has every fault, as event.Invalids.
func (c Scan) Found(places []Place) (Scan, []byte, error) {
	c.Counts = map[string]int{}
	for _, p := range places {
		c.Counts[p.Flag]++
	}
	faults := append(c.check(), checkPlaces(places)...)
	if len(faults) > 0 || len(places) == 0 {
		return c, nil, faults.Err()
	}
	places = slices.SortedFunc(slices.Values(places), func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Flag, b.Flag), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Alias, b.Alias))
	})
	document, err := json.Marshal(places)
	if err != nil {
		return c, nil, fmt.Errorf("encoding the places of a scan: %w", err)
	}
	return c, document, nil
}

// ReadPlaces reads the document of a scan's places and returns those of a flag.
func ReadPlaces(document []byte, flag string) ([]Place, error) {
	var all []Place
	if err := json.Unmarshal(document, &all); err != nil {
		return nil, fmt.Errorf("reading the places of a scan: %w", err)
	}
	return slices.DeleteFunc(all, func(p Place) bool { return p.Flag != flag }), nil
}

// checkPlaces returns what is wrong with the places of a scan.
func checkPlaces(places []Place) event.Invalids {
	var faults event.Invalids
	if len(places) > MaxPlaces {
		faults.Add("references", len(places), fmt.Sprintf("are more than %d places", MaxPlaces), "scan parts of the tree, each as a repository of its own")
	}
	for i, p := range places {
		if len(faults) >= mostFaults {
			break
		}
		faults.Under(fmt.Sprintf("references[%d]", i), p.check())
	}
	return faults
}

func (p Place) check() event.Invalids {
	var faults event.Invalids
	if why := event.CheckKey(p.Flag); why != "" {
		faults.Add("flag", p.Flag, why, "write a flag's key")
	}
	if why := checkLine(p.Path, longestPath); why != "" {
		faults.Add("path", p.Path, why, "write the path of a file from the root of the tree")
	}
	if p.Line < 1 || p.Line > lastLine {
		faults.Add("line", p.Line, fmt.Sprintf("is not between 1 and %d", lastLine), "")
	}
	if why := checkLine(p.Alias, longestName); why != "" && p.Alias != "" {
		faults.Add("alias", p.Alias, why, "write the word that stands for the key")
	}
	return faults
}

// checkLine says why a text does not fit on a line, or returns "".
func checkLine(text string, longest int) string {
	switch {
	case text == "":
		return "is missing"
	case len(text) > longest:
		return fmt.Sprintf("is longer than %d bytes", longest)
	case !utf8.ValidString(text):
		return "is not text in UTF-8"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "has a control character"
	}
	return ""
}

// check returns what is wrong with the scan but for its places.
func (c Scan) check() event.Invalids {
	var faults event.Invalids
	if why := event.CheckKey(scanKey(c.Repository)); why != "" {
		faults.Add("repository", c.Repository, strings.ReplaceAll(why, "between its dots", "between its dots and slashes"), "write a name such as github.com/acme/shop")
	}
	if why := checkLine(c.Revision, longestName); why != "" {
		faults.Add("revision", c.Revision, why, "write the commit that was read")
	}
	if c.Files < 0 {
		faults.Add("files", c.Files, "is less than 0", "")
	}
	if len(c.Counts) > MaxScanned {
		faults.Add("references", len(c.Counts), fmt.Sprintf("name more than %d flags", MaxScanned), "scan parts of the tree, each as a repository of its own")
	}
	return faults
}

// scanKey is the key of a repository, as the subject of its events has it.
func scanKey(repository string) string { return strings.ReplaceAll(repository, "/", ".") }
