package server

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// FilesType is the media type of several files of documents, so that a fault
// names the file that it is in.
const FilesType = "application/vnd.sluice.files+json"

// bundle is the body of that type.
type bundle struct {
	Files []bundled `json:"files"`
}

type bundled struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// document is one document of a request.
type document struct {
	manifest.Document
	file  string // that it is in; "" when the request is one file
	needs []string
	key   string // of a flag
	names bool   // a team that names its members
}

// place returns where among the kinds a document stands: a team that names
// people comes behind them.
func (d document) place() int {
	if d.names {
		return 2*slices.Index(kinds, "Person") + 1
	}
	return 2 * slices.Index(kinds, d.Kind)
}

// annotate says where in which file a fault is.
func (d document) annotate(err error) error {
	return inFile(d.file, d.Annotate(err))
}

func inFile(file string, err error) error {
	if err == nil || file == "" {
		return err
	}
	return fmt.Errorf("%s:\n%w", file, err)
}

// documents reads the documents of a request, in the order in which they can
// be carried out: what others name comes before them.
func (in *applyIn) documents() ([]document, error) {
	files := []bundled{{Text: string(in.RawBody)}}
	if kind, _, _ := mime.ParseMediaType(in.ContentType); kind == FilesType {
		var b bundle
		if err := json.Unmarshal(in.RawBody, &b); err != nil {
			return nil, event.Invalids{{Path: "files", Why: "cannot be read: " + err.Error(), Fix: `write {"files":[{"name":"a.yaml","text":"…"}]}`}}
		}
		files = b.Files
	}
	var docs []document
	for _, f := range files {
		parts, err := manifest.Split([]byte(f.Text))
		if err != nil {
			return nil, inFile(f.Name, err)
		}
		for _, d := range parts {
			docs = append(docs, open(d, f.Name))
		}
	}
	return ordered(docs), nil
}

// open looks into a document for what decides its place. One that cannot be
// read has none: it is refused in its turn.
func open(d manifest.Document, file string) document {
	out := document{Document: d, file: file}
	out.names = d.Kind == "Team" && d.Text("members[0]") != ""
	var f flags.Flag
	if d.Kind == "Flag" && d.Decode(&f) == nil {
		out.key, out.needs = f.Key, f.Needs()
	}
	return out
}

// kinds are the kinds of documents in the order in which they depend on each
// other: people name their teams and all name owners, rules of environments ask
// for segments, flags for all of these, and plans for flags, metrics and webhooks.
var kinds = []string{"Team", "Person", "Segment", "Environment", "Policy", "Metric", "Flag", "Webhook", "Rollout"}

// ordered sorts documents by kind, and flags behind the flags that they need;
// what does not matter stays as it was written.
func ordered(docs []document) []document {
	flagged := map[string]document{}
	for _, d := range docs {
		if d.key != "" {
			flagged[d.key] = d
		}
	}
	depth := map[string]int{}
	for _, d := range docs {
		deepen(flagged, depth, d.key)
	}
	out := slices.Clone(docs)
	slices.SortStableFunc(out, func(a, b document) int {
		if by := a.place() - b.place(); by != 0 {
			return by
		}
		return depth[a.key] - depth[b.key]
	})
	return out
}

// deepen notes how long the longest chain of flags is that a flag needs: once
// for each flag, because there can be more ways than anybody can walk. In a
// cycle, which is refused later, a flag that is being looked at counts as none.
func deepen(flagged map[string]document, depth map[string]int, key string) int {
	if d, known := depth[key]; known {
		return d
	}
	depth[key] = 0
	d := 0
	for _, need := range flagged[key].needs {
		if _, ok := flagged[need]; ok {
			d = max(d, 1+deepen(flagged, depth, need))
		}
	}
	depth[key] = d
	return d
}
