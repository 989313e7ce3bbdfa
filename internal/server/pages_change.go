package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// wish is what somebody wants of a flag, as the page before it brings it back.
type wish struct {
	Changes []flags.Change `json:"changes,omitempty"`
	Switch  *Switched      `json:"switch,omitempty"`
	Ramp    *Ramped        `json:"ramp,omitempty"`

	name    string // of the page: "Disable in production"
	comment string // a proposal
	seen    string // entity tag of the flag that was looked at
}

// savePage does what the page before a change was agreed on: now, at a time, or
// by asking others.
func (s *server) savePage(w http.ResponseWriter, r *http.Request) error {
	key := mux.Vars(r)["key"]
	var want wish
	if err := json.Unmarshal([]byte(r.PostFormValue("wanted")), &want); err != nil {
		return s.problemPage(w, r, event.Invalid{Path: "wanted", Why: "is not what the page before sent", Fix: "go back to the flag and begin again"})
	}
	want.name, want.seen = r.PostFormValue("name"), r.PostFormValue("seen")
	to, notice, err := s.grant(r, key, want)
	if err == nil {
		return s.onward(w, r, to, notice)
	}
	page, before := s.beforeChange(w, r, key, want)
	if before != nil {
		page.Form = nil // it would be refused for itself: that is said instead
		err = before
	}
	return s.page(w, problem(err).Status, page.Refuse(plainer(err), sent(r)))
}

// grant carries a wish out, and returns where to go on and what to say there.
func (s *server) grant(r *http.Request, key string, want wish) (to, notice string, err error) {
	ctx, comment, to := r.Context(), r.PostFormValue("comment"), flagPath(key)
	seen := Precondition{IfMatch: want.seen}
	switch {
	case want.Switch != nil:
		of := want.Switch
		_, err = s.switchFlag(ctx, &switchIn{Precondition: seen, Key: key, Op: of.Op, Body: switchBody{of.Environment, comment, of.Variant, of.Reason}})
	case want.Ramp != nil:
		in := &rampIn{Precondition: seen, Key: key}
		in.Body.Percentage, in.Body.Environment, in.Body.Variant, in.Body.Comment = want.Ramp.Percentage, want.Ramp.Environment, want.Ramp.Variant, comment
		_, err = s.rampFlag(ctx, in)
	case want.creates():
		_, err = s.createFlag(ctx, &createIn{Comment: comment, Body: *want.Changes[0].Flag})
		return to, "Created.", err
	case r.PostFormValue("request") == "true":
		in := &proposeIn{Precondition: seen, Key: key}
		in.Body.Wanted = Wanted{want.Changes, comment}
		out, err := s.proposeChange(ctx, in)
		if err != nil {
			return "", "", err
		}
		return to + "/requests/" + out.Body.ID.String(), "Filed: others are asked to agree.", nil
	case r.PostFormValue("at") != "":
		return s.later(r, key, Wanted{want.Changes, comment}, seen)
	default:
		_, err = s.patchFlag(ctx, &patchIn{Precondition: seen, Key: key, Body: Wanted{want.Changes, comment}})
	}
	return to, want.name + ": done.", err
}

// creates reports whether it is a flag that there was not.
func (want wish) creates() bool {
	return want.seen == "" && len(want.Changes) == 1 && want.Changes[0].Flag != nil
}

// later schedules a change for a moment in UTC.
func (s *server) later(r *http.Request, key string, want Wanted, seen Precondition) (to, notice string, err error) {
	in := &scheduleIn{Precondition: seen, Key: key}
	in.Body.Wanted = want
	in.Body.At, err = momentOf(r.PostFormValue("at"))
	if err == nil {
		_, err = s.scheduleChange(r.Context(), in)
	}
	return flagPath(key) + "?tab=" + string(dashboards.TabWaiting), "Scheduled.", err
}

// momentOf reads what a browser's field for a moment holds, in UTC.
func momentOf(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, event.Invalid{Path: "at", Value: text, Why: "is not a moment", Fix: "write one such as 2027-01-31T09:00"}
}

// beforeChange makes the page before a change. A refusal comes with the page
// that says so.
func (s *server) beforeChange(w http.ResponseWriter, r *http.Request, key string, want wish) (dashboards.Change, error) {
	in := &foreseeIn{Precondition: Precondition{IfMatch: want.seen}, Key: key}
	in.Body.Changes, in.Body.Switch, in.Body.Ramp = want.Changes, want.Switch, want.Ramp
	out, err := s.foreseeChange(r.Context(), in)
	seen := dashboards.Foreseen{Key: key, Name: want.name, Comment: want.comment, Switch: want.Switch != nil || want.Ramp != nil}
	if err == nil {
		seen = foreseen(seen, out.Body)
	}
	if seen.Exists && want.seen == "" {
		err = event.Invalid{Path: "key", Value: key, Why: "is the key of a flag that there is", Fix: "write another one, or edit that flag"}
	}
	text, failed := json.Marshal(want)
	if failed != nil {
		return dashboards.Change{}, failed
	}
	seen.Wanted = string(text)
	if seen.Exists {
		seen.Command, seen.Document = want.command(key)
	}
	f := s.flagFrame(w, r)
	f.Refresh = 0 // nothing may change under the hand of who is about to decide
	return dashboards.NewChange(f, seen, err == nil && s.mayGrant(r.Context(), want), newFormKey()), err
}

func foreseen(seen dashboards.Foreseen, v ChangePreview) dashboards.Foreseen {
	seen.Exists, seen.Unchanged, seen.Asks, seen.Notes = v.Revision > 0, v.Unchanged, v.Asks, v.Notes
	if seen.Exists {
		seen.Seen = strconv.Quote(strconv.FormatUint(v.Revision, 10))
	}
	for _, d := range v.Differences {
		seen.Differences = append(seen.Differences, d.Text)
	}
	for _, p := range v.Samples {
		seen.Samples = append(seen.Samples, dashboards.Sample(p))
	}
	return seen
}

// mayGrant reports whether whoever asks may do it himself, or ask others.
func (s *server) mayGrant(ctx context.Context, want wish) bool {
	if want.Switch == nil && want.Ramp == nil {
		return s.mayChange(ctx, want.Changes) == nil || s.mayPropose(ctx, want.Changes) == nil
	}
	environment := access.AnyEnvironment
	if want.Ramp != nil {
		environment = want.Ramp.Environment
	} else if at := (&switchIn{Op: want.Switch.Op, Body: switchBody{Environment: want.Switch.Environment}}).touches(); at != "" {
		environment = at
	}
	return may(ctx, access.Decide, environment) == nil
}

// command returns what does the same from a terminal, and the document for it.
func (want wish) command(key string) (command, document string) {
	const why = " -m 'why'"
	switch {
	case want.Ramp != nil:
		return "sluice ramp " + key + " " + strconv.FormatFloat(want.Ramp.Percentage, 'f', -1, 64) + " -e " + want.Ramp.Environment + why, ""
	case want.Switch != nil && want.Switch.Environment != "":
		return "sluice flag " + want.Switch.Op + " " + key + " -e " + want.Switch.Environment + why, ""
	case want.Switch != nil:
		return "sluice flag " + want.Switch.Op + " " + key + why, ""
	}
	b, err := manifest.Encode(struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Flag       string         `json:"flag"`
		Changes    []flags.Change `json:"changes"`
	}{manifest.APIVersion, "Changes", key, want.Changes})
	if err != nil {
		return "", "" // unreachable unless a change cannot be written, and then it could not be recorded
	}
	return "sluice change make change.yaml" + why, string(b)
}
