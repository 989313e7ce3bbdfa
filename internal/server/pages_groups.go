package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// segmentsPage is the list of segments.
func (s *server) segmentsPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	out, err := s.listSegments(r.Context(), &segmentsIn{Page{Limit: flagsOnPage, Cursor: q.Get("cursor")}})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	turn := dashboards.Turn("/segments", q, out.Body.Next)
	return s.page(w, http.StatusOK, dashboards.NewSegmentList(s.frame(w, r, dashboards.InFlags), out.Body.Segments, turn, s.ofLog("/api/v1/segments")))
}

// segmentPage is one segment, and whether one unit is in it.
func (s *server) segmentPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.segmentSeen(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

func (s *server) segmentSeen(w http.ResponseWriter, r *http.Request) (dashboards.SegmentPage, error) {
	key, q := mux.Vars(r)["key"], r.URL.Query()
	out, err := s.getSegment(r.Context(), &segmentKey{key})
	if err != nil {
		return dashboards.SegmentPage{}, err
	}
	in := dashboards.SegmentSeen{Segment: out.Body.RecordedSegment, UsedBy: out.Body.UsedBy, Unit: q.Get("unit"), Attributes: q.Get("attributes")}
	json := "/api/v1/segments/" + url.PathEscape(key)
	var refused error
	if in.Unit != "" {
		query := dashboards.UnitQuestion{Unit: in.Unit, Attributes: in.Attributes}.Query()
		query.Del("environment")
		member, err := s.explainSegment(r.Context(), &segmentAsk{Key: key, Unit: in.Unit, attributes: attributesOf(query)})
		json += "/explain?" + query.Encode()
		if refused = err; err == nil {
			in.Member = &member.Body
		}
	}
	page := dashboards.NewSegmentPage(s.frameOf(w, r, dashboards.InFlags, access.AnyEnvironment, key, ""), in, s.ofLog(json), newFormKey())
	if refused != nil {
		page.Lookup = page.Lookup.Refuse(refused, q.Get)
	}
	return page, nil
}

// changeList puts units into a list of a segment or takes them out. A list that
// is replaced is shown with its difference first.
func (s *server) changeList(w http.ResponseWriter, r *http.Request) error {
	page, err := s.segmentSeen(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	key := mux.Vars(r)["key"]
	list, err := listNamed(r.PostFormValue("list"))
	ids := []string{}
	if err == nil {
		ids, err = readUnits(strings.NewReader(r.PostFormValue("ids")))
	}
	if err == nil && r.PostFormValue("mode") == "replace" {
		return s.replacing(w, r, key, list, ids)
	}
	if err == nil {
		in := &unitsIn{Key: key}
		in.Body.List, in.Body.Comment = list, r.PostFormValue("comment")
		if in.Body.Add = ids; r.PostFormValue("mode") == "remove" {
			in.Body.Add, in.Body.Remove = nil, ids
		}
		_, err = s.changeUnits(r.Context(), in)
	}
	if err != nil {
		return s.page(w, problem(err).Status, page.Refuse(atField("ids", err), sent(r)))
	}
	return s.onward(w, r, "/segments/"+url.PathEscape(key), "The list is changed.")
}

// atField puts every fault at one field: a list is written in one.
func atField(name string, err error) error {
	if p := problem(err); p.Status == http.StatusBadRequest {
		return event.Invalid{Path: name, Why: "is refused: " + p.Detail}
	}
	return err
}

// replacing shows what a whole list would make different.
func (s *server) replacing(w http.ResponseWriter, r *http.Request, key string, list flags.ListName, ids []string) error {
	was, _ := s.current("Segment", key)
	doc, ok := was.(flags.Segment)
	if !ok {
		return s.problemPage(w, r, errNoSuch)
	}
	if list == flags.IncludedList {
		doc.Included = flags.ListOf(ids...)
	} else {
		doc.Excluded = flags.ListOf(ids...)
	}
	text, err := asDocument("Segment", doc)
	if err != nil {
		return err
	}
	return s.previewDocument(w, r, draftDoc{"Segment", key, text, r.PostFormValue("comment")})
}

// draftDoc is a document that somebody writes on a page.
type draftDoc struct{ kind, key, yaml, comment string }

// segmentEdit is where a segment is written; without a key in its address,
// where one is made.
func (s *server) segmentEdit(w http.ResponseWriter, r *http.Request) error {
	return s.writeDocument(w, r, "Segment", mux.Vars(r)["key"])
}

// segmentPreview shows what a segment's document would make different.
func (s *server) segmentPreview(w http.ResponseWriter, r *http.Request) error {
	return s.previewDocument(w, r, draftDoc{"Segment", mux.Vars(r)["key"], r.PostFormValue("yaml"), ""})
}

// segmentSave records it.
func (s *server) segmentSave(w http.ResponseWriter, r *http.Request) error {
	return s.saveDocument(w, r, draftDoc{"Segment", mux.Vars(r)["key"], r.PostFormValue("yaml"), r.PostFormValue("comment")})
}

// newSegmentPreview and newSegmentSave are for one that there is not yet, whose
// key its document says.
func (s *server) newSegmentPreview(w http.ResponseWriter, r *http.Request) error {
	return s.previewDocument(w, r, draftDoc{"Segment", "", r.PostFormValue("yaml"), ""})
}

func (s *server) newSegmentSave(w http.ResponseWriter, r *http.Request) error {
	return s.saveDocument(w, r, draftDoc{"Segment", "", r.PostFormValue("yaml"), r.PostFormValue("comment")})
}

// houseKinds are the documents of what all flags have in common.
var houseKinds = []string{"Environment", "Policy"}

// houseEdit is where an environment or a policy is written.
func (s *server) houseEdit(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if !slices.Contains(houseKinds, q.Get("kind")) {
		return s.problemPage(w, r, errNoSuch)
	}
	return s.writeDocument(w, r, q.Get("kind"), q.Get("key"))
}

// housePreview shows what its document would make different.
func (s *server) housePreview(w http.ResponseWriter, r *http.Request) error {
	d := draftDoc{r.PostFormValue("kind"), r.PostFormValue("key"), r.PostFormValue("yaml"), ""}
	if !slices.Contains(houseKinds, d.kind) {
		return s.problemPage(w, r, errNoSuch)
	}
	return s.previewDocument(w, r, d)
}

// houseSave records it.
func (s *server) houseSave(w http.ResponseWriter, r *http.Request) error {
	d := draftDoc{r.PostFormValue("kind"), r.PostFormValue("key"), r.PostFormValue("yaml"), r.PostFormValue("comment")}
	if !slices.Contains(houseKinds, d.kind) {
		return s.problemPage(w, r, errNoSuch)
	}
	return s.saveDocument(w, r, d)
}

// environmentsPage is all environments and policies, or one environment.
func (s *server) environmentsPage(w http.ResponseWriter, r *http.Request) error {
	environments, err := s.listEnvironments(r.Context(), nil)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	policies, err := s.listPolicies(r.Context(), nil)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	one := mux.Vars(r)["environment"]
	known := func(e flags.RecordedEnvironment) bool { return e.Key == one }
	if one != "" && !slices.ContainsFunc(environments.Body.Environments, known) {
		return s.problemPage(w, r, errNoSuch)
	}
	in := dashboards.HouseSeen{Environments: environments.Body.Environments, Policies: policies.Body.Policies, One: one, YAML: func(kind, key string) string {
		doc, _ := s.current(kind, key)
		text, err := asDocument(kind, doc)
		if err != nil {
			return err.Error() // unreachable: what the log holds can be written
		}
		return text
	}}
	return s.page(w, http.StatusOK, dashboards.NewHouse(s.frame(w, r, dashboards.InFlags), in, s.ofLog("/api/v1/environments")))
}

// writeDocument is the page on which a document is written.
func (s *server) writeDocument(w http.ResponseWriter, r *http.Request, kind, key string) error {
	text := firstDocuments[kind]
	if key != "" {
		doc, _ := s.current(kind, key)
		if doc == nil {
			return s.problemPage(w, r, errNoSuch)
		}
		var err error
		if text, err = asDocument(kind, doc); err != nil {
			return err
		}
	}
	return s.page(w, http.StatusOK, dashboards.NewDocEdit(s.writeFrame(w, r, key), s.described(draftDoc{kind, key, text, ""})))
}

// writeFrame is a frame under which nothing changes while somebody writes.
func (s *server) writeFrame(w http.ResponseWriter, r *http.Request, key string) dashboards.Frame {
	f := s.frameOf(w, r, dashboards.InFlags, access.AnyEnvironment, key, "")
	f.Refresh = 0
	return f
}

// described says where the forms of a document are sent to.
func (s *server) described(d draftDoc) dashboards.Document {
	out := dashboards.Document{Kind: d.kind, Key: d.key, YAML: d.yaml, Comment: d.comment, Preview: "/environments/edit", To: "/environments/save", Back: "/environments"}
	if d.kind == "Segment" {
		out.Back = "/segments"
		at := "new"
		if d.key != "" {
			at = url.PathEscape(d.key)
			out.Back = "/segments/" + at
		}
		out.Preview, out.To = "/segments/"+at+"/edit", "/segments/"+at+"/save"
	}
	return out
}

// firstDocuments are what new documents begin with.
var firstDocuments = map[string]string{
	"Segment":     "apiVersion: sluice/v1\nkind: Segment\nkey: beta-testers\nowner: shop-team\nwhen: {attribute: plan, op: eq, value: beta}\nincluded: []\n",
	"Environment": "apiVersion: sluice/v1\nkind: Environment\nkey: qa\norder: 4\n",
	"Policy":      "apiVersion: sluice/v1\nkind: Policy\nkey: four-eyes\nmatch: {environments: [production]}\nflags: {require: [why], approvals: {count: 1, role: approver}}\n",
}

// only refuses a text that is anything but one document of a kind, and of a key
// where it has one already.
func (d draftDoc) only() error {
	docs, err := manifest.Split([]byte(strings.ReplaceAll(d.yaml, "\r\n", "\n")))
	switch {
	case err != nil:
		return event.Invalid{Path: "yaml", Why: "cannot be read:\n" + err.Error()}
	case len(docs) != 1 || docs[0].Kind != d.kind:
		return event.Invalid{Path: "yaml", Why: "is not one document of kind " + d.kind, Fix: "write apiVersion, kind: " + d.kind + " and what it says"}
	case d.key != "" && docs[0].Text("key") != d.key:
		return event.Invalid{Path: "yaml", Why: "is of another key", Fix: "write key: " + d.key + "; a key never changes"}
	}
	return nil
}

// writes sends a document through the door that files come by.
func (s *server) writes(ctx context.Context, d draftDoc, dry bool) (Applied, error) {
	if err := d.only(); err != nil {
		return Applied{}, err
	}
	out, err := s.apply(ctx, &applyIn{Comment: d.comment, DryRun: dry, RawBody: []byte(strings.ReplaceAll(d.yaml, "\r\n", "\n"))})
	if err != nil {
		return Applied{}, atField("yaml", err)
	}
	return out.Body.Applied[0], nil
}

// previewDocument shows what a document would make different.
func (s *server) previewDocument(w http.ResponseWriter, r *http.Request, d draftDoc) error {
	f, page := s.writeFrame(w, r, d.key), s.described(d)
	done, err := s.writes(r.Context(), d, true)
	if err != nil {
		return s.page(w, problem(err).Status, dashboards.NewDocEdit(f, page).Refuse(err, sent(r)))
	}
	page.Differences, page.Unchanged = done.Differences, done.Change == unchanged
	if d.kind == "Segment" && d.key != "" {
		if out, err := s.getSegment(r.Context(), &segmentKey{d.key}); err == nil {
			page.Reaches = out.Body.UsedBy
		}
	}
	return s.page(w, http.StatusOK, dashboards.NewDocPreview(f, page, newFormKey()))
}

// saveDocument records a document and goes on to its page.
func (s *server) saveDocument(w http.ResponseWriter, r *http.Request, d draftDoc) error {
	done, err := s.writes(r.Context(), d, false)
	if err != nil {
		return s.page(w, problem(err).Status, dashboards.NewDocEdit(s.writeFrame(w, r, d.key), s.described(d)).Refuse(err, sent(r)))
	}
	to := "/environments"
	if d.kind == "Segment" {
		to = "/segments/" + url.PathEscape(done.Key)
	}
	return s.onward(w, r, to, done.Kind+" "+done.Key+" "+done.Change+".")
}
