package server

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// editPage is the editor of a flag.
func (s *server) editPage(w http.ResponseWriter, r *http.Request) error {
	page, _, err := s.editing(w, r, r.URL.Query().Get("environment"))
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

// editing makes the editor, with the rules of one environment.
func (s *server) editing(w http.ResponseWriter, r *http.Request, environment string) (dashboards.FlagEdit, FlagDetail, error) {
	d, err := s.flagSeen(r.Context(), mux.Vars(r)["key"])
	if err != nil {
		return dashboards.FlagEdit{}, d, err
	}
	in := dashboards.Editing{FlagSeen: shownFlag(d), Environments: s.environments(), Environment: environment}
	for _, name := range in.Environments {
		if _, ok := d.Environments[name]; ok && in.Environment == "" {
			in.Environment = name
		}
	}
	if _, ok := d.Environments[in.Environment]; !ok {
		in.Environment = ""
	}
	segments, err := s.listSegments(r.Context(), &segmentsIn{Page{Limit: 1000}})
	if err != nil {
		return dashboards.FlagEdit{}, d, err
	}
	for _, g := range segments.Body.Segments {
		in.Segments = append(in.Segments, g.Key)
	}
	if in.YAML, err = asDocument("Flag", defined(d.Flag)); err != nil {
		return dashboards.FlagEdit{}, d, err
	}
	in.May = rights(r, in.Environment, d.Key)
	f := s.flagFrame(w, r)
	f.Refresh = 0 // nothing may change under the hand of who writes
	return dashboards.NewFlagEdit(f, in), d, nil
}

// defined returns a flag without what rollouts own, which no document says.
func defined(f flags.Flag) flags.Flag {
	all := make(map[string]flags.Environment, len(f.Environments))
	for name, e := range f.Environments {
		e.Served, e.Allocation, e.Forced = nil, nil, nil
		all[name] = e
	}
	f.Environments = all
	return f
}

// asDocument writes what is described as a document of a kind.
func asDocument(kind string, v any) (string, error) {
	b, err := manifest.Encode(v)
	return "apiVersion: " + manifest.APIVersion + "\nkind: " + kind + "\n" + string(b), err
}

// editFlag shows what a form of the editor would do.
func (s *server) editFlag(w http.ResponseWriter, r *http.Request) error {
	page, d, err := s.editing(w, r, r.PostFormValue("environment"))
	if err != nil {
		return s.problemPage(w, r, err)
	}
	want, err := s.edited(r, d)
	if err == nil {
		var before dashboards.Change
		if before, err = s.beforeChange(w, r, d.Key, want); err == nil {
			return s.page(w, http.StatusOK, before)
		}
	}
	return s.page(w, problem(err).Status, page.Refuse(plainer(err), sent(r)))
}

// edited reads what a form of the editor asks for.
func (s *server) edited(r *http.Request, d FlagDetail) (wish, error) {
	want := wish{name: "Change", seen: r.PostFormValue("seen")}
	if r.PostFormValue("form") == "whole" {
		f, err := flagOfYAML(r.PostFormValue("yaml"))
		if err == nil && f.Key != d.Key {
			err = event.Invalid{Path: "yaml", Why: "is of flag " + f.Key + ", and a key never changes", Fix: "write key: " + d.Key}
		}
		want.Changes = []flags.Change{{Op: flags.Define, Flag: &f}}
		return want, err
	}
	if r.PostFormValue("op") == "ramp" {
		share, err := strconv.ParseFloat(r.PostFormValue("percentage"), 64)
		if err != nil {
			return want, event.Invalid{Path: "percentage", Value: r.PostFormValue("percentage"), Why: "is not a number", Fix: "write a share of the units such as 12.5"}
		}
		want.name, want.Ramp = "Ramp", &Ramped{Environment: r.PostFormValue("environment"), Variant: r.PostFormValue("variant"), Percentage: share}
		return want, nil
	}
	c, err := dashboards.Reading{Sent: sent(r), When: conditionOf, Type: d.Type}.Change()
	if c.Rule != nil && c.Op == flags.ChangeRule { // what an imported split hashes is no question of the form
		for _, was := range d.Environments[c.Environment].Rules {
			if was.Name == c.Name && len(c.Rule.Split) > 0 {
				c.Rule.Hash = was.Hash
			}
		}
	}
	want.Changes = []flags.Change{c}
	return want, err
}

// flagOfYAML reads the document of one flag. What is wrong is told at the field
// that holds it, with line and excerpt.
func flagOfYAML(text string) (flags.Flag, error) {
	var f flags.Flag
	docs, err := manifest.Split([]byte(strings.ReplaceAll(text, "\r\n", "\n")))
	switch {
	case err != nil:
	case len(docs) != 1 || docs[0].Kind != "Flag":
		return f, event.Invalid{Path: "yaml", Why: "is not one document of kind Flag", Fix: "write apiVersion, kind: Flag and the definition"}
	default:
		if err = docs[0].Decode(&f); err == nil {
			err = docs[0].Annotate(f.Validate())
		}
	}
	if err != nil {
		return f, event.Invalid{Path: "yaml", Why: "is refused:\n" + err.Error()}
	}
	return f, nil
}

// conditionOf reads a condition as it stands in a document.
func conditionOf(text string) (*flags.Condition, error) {
	var holder struct {
		When *flags.Condition `yaml:"when"`
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	docs, err := manifest.Split([]byte("apiVersion: " + manifest.APIVersion + "\nkind: Condition\nwhen:\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n"))
	if err == nil && len(docs) == 1 {
		err = docs[0].Decode(&holder)
	}
	if err == nil && holder.When == nil {
		err = errors.New("there is no condition")
	}
	return holder.When, err
}

// plainer names the fields of a refusal as the forms do, which are each of one
// change.
func plainer(err error) error {
	var all event.Invalids
	var one event.Invalid
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = event.Invalids{one}
	default:
		return err
	}
	out := make(event.Invalids, len(all))
	for i, f := range all {
		f.Path = strings.TrimPrefix(strings.TrimPrefix(f.Path, "changes[0]."), "flag.")
		out[i] = f
	}
	return out
}

// newFlagPage is where a flag is made.
func (s *server) newFlagPage(w http.ResponseWriter, r *http.Request) error {
	return s.page(w, http.StatusOK, s.newFlagForms(w, r))
}

func (s *server) newFlagForms(w http.ResponseWriter, r *http.Request) dashboards.FlagNew {
	f := s.frame(w, r, dashboards.InFlags)
	f.Refresh = 0 // nothing may change under the hand of who writes
	return dashboards.NewFlagNew(f, s.environments())
}

// newFlag shows what would be created.
func (s *server) newFlag(w http.ResponseWriter, r *http.Request) error {
	var f flags.Flag
	var err error
	if r.PostFormValue("form") == "whole" {
		f, err = flagOfYAML(r.PostFormValue("yaml"))
	} else {
		f, err = dashboards.Reading{Sent: sent(r), When: conditionOf}.Flag(s.environments())
	}
	if err == nil && event.CheckKey(f.Key) != "" {
		err = event.Invalid{Path: "key", Value: f.Key, Why: event.CheckKey(f.Key), Fix: "write one such as checkout.payments.express-pay"}
	}
	if err == nil {
		err = mayTouch(r.Context(), access.Write, access.AnyEnvironment, f.Key)
	}
	if err == nil {
		var before dashboards.Change
		if before, err = s.beforeChange(w, r, f.Key, wish{name: "Create", Changes: []flags.Change{{Op: flags.Define, Flag: &f}}}); err == nil {
			return s.page(w, http.StatusOK, before)
		}
	}
	return s.page(w, problem(err).Status, s.newFlagForms(w, r).Refuse(plainer(err), sent(r)))
}

// doPage is the page before a switch: enable, disable, force, unforce, archive
// or restore.
func (s *server) doPage(w http.ResponseWriter, r *http.Request) error {
	vars, q := mux.Vars(r), r.URL.Query()
	op := flags.Op(vars["op"])
	name, ok := switchNames[op]
	if !ok {
		return s.problemPage(w, r, errNoSuch)
	}
	want := wish{name: name, Switch: &Switched{Op: string(op), Environment: q.Get("environment"), Variant: q.Get("variant"), Reason: q.Get("reason")}}
	if want.Switch.Environment != "" {
		want.name += " in " + want.Switch.Environment
	}
	d, err := s.flagSeen(r.Context(), vars["key"])
	if err != nil {
		return s.problemPage(w, r, err)
	}
	want.seen = strconv.Quote(strconv.FormatUint(d.Revision, 10))
	page, err := s.beforeChange(w, r, d.Key, want)
	if op == flags.Archive {
		page.Again = dashboards.ArchiveForm(d.Flag, q.Get("variant"), q.Get("reason"))
	}
	if err != nil { // the page was made, and says what would be refused
		page = page.Refuse(plainer(err), sent(r))
	}
	return s.page(w, http.StatusOK, page)
}

var switchNames = map[flags.Op]string{
	flags.Enable: "Enable", flags.Disable: "Disable", flags.Force: "Force the safe variant", flags.Unforce: "End the forced state",
	flags.Archive: "Archive", flags.Restore: "Restore",
}

// restorePage is the page before a flag becomes again what it was at a
// revision.
func (s *server) restorePage(w http.ResponseWriter, r *http.Request) error {
	key, at := mux.Vars(r)["key"], r.URL.Query().Get("at")
	then, err := s.readFlag(r.Context(), &flagIn{Key: key, At: at})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	d, err := s.flagSeen(r.Context(), key)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	was := defined(then.Body.Flag)
	page, err := s.beforeChange(w, r, key, wish{
		name: "Restore revision " + at, comment: "as it was at revision " + at + ": ", seen: strconv.Quote(strconv.FormatUint(d.Revision, 10)),
		Changes: []flags.Change{{Op: flags.Define, Flag: &was}},
	})
	if err != nil {
		return s.page(w, problem(err).Status, page.Refuse(plainer(err), sent(r)))
	}
	return s.page(w, http.StatusOK, page)
}

// flagPath returns the address of a flag's page.
func flagPath(key string) string { return "/flags/" + url.PathEscape(key) }
