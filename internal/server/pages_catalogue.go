package server

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// newMetric is what the form of a metric begins with.
const newMetric = `apiVersion: sluice/v1
kind: Metric
expect: 0
key: checkout_completed
description: Visits that end with an order
owner: 
event: checkout_completed
aggregate: conversion
direction: increase
`

func (s *server) cataloguePage(w http.ResponseWriter, r *http.Request) error {
	form := dashboards.MetricForm("/catalogue", newMetric, newFormKey())
	return s.catalogueWith(w, r, http.StatusOK, form)
}

// catalogueWith shows the list with a form as it came back.
func (s *server) catalogueWith(w http.ResponseWriter, r *http.Request, code int, form dashboards.Form) error {
	out, err := s.listCatalogue(r.Context(), &metricsIn{Page: Page{Cursor: r.URL.Query().Get("cursor"), Limit: offered}})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	var all []dashboards.Listed
	for _, e := range out.Body.Metrics {
		all = append(all, dashboards.Listed(e))
	}
	var undeclared []dashboards.Undeclared
	for _, u := range out.Body.Undeclared {
		link := "/events/letters?" + url.Values{"reason": {string(ingest.UnknownMetric)}, "name": {u.Name}}.Encode()
		undeclared = append(undeclared, dashboards.Undeclared{Name: u.Name, Environment: u.Environment, Events: u.Events, Newest: u.Newest, Link: link})
	}
	var pager dashboards.Pager
	if out.Body.Next != "" {
		pager.Older = "/catalogue?" + url.Values{"cursor": {out.Body.Next}}.Encode()
	}
	f := s.frame(w, r, dashboards.InMetrics)
	if form.Refused() || form.Said != nil {
		f.Refresh = 0
	}
	return s.page(w, code, dashboards.NewCatalogue(f, all, undeclared, formFor(f, form), pager, s.Now()))
}

// formFor keeps a form from those who may not send it.
func formFor(f dashboards.Frame, form dashboards.Form) *dashboards.Form {
	if !f.Rights.Write {
		return nil
	}
	return &form
}

func (s *server) metricPage(w http.ResponseWriter, r *http.Request) error {
	return s.metricWith(w, r, http.StatusOK, nil)
}

// metricWith shows a metric, with its form as it came back or as it begins.
func (s *server) metricWith(w http.ResponseWriter, r *http.Request, code int, back *dashboards.Form) error {
	key := mux.Vars(r)["key"]
	out, err := s.getMetric(r.Context(), &metricKey{Key: key})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	f := s.frame(w, r, dashboards.InMetrics)
	f.Refresh = 0 // somebody may be writing
	form := back
	if form == nil {
		text, err := metricDocument(out.Body.Declaration)
		if err != nil {
			return err
		}
		fresh := dashboards.MetricForm(dashboards.MetricLink(key), text, newFormKey())
		form = &fresh
	}
	d := out.Body
	return s.page(w, code, dashboards.NewMetricPage(f, dashboards.Told{Listed: dashboards.Listed(d.CatalogueEntry), Effects: d.Effects, History: d.History}, formFor(f, *form), s.Now()))
}

// metricDocument writes a metric as it is applied. It names the revision that
// was seen, so that two who change it at once do not undo each other.
func metricDocument(d ingest.Declaration) (string, error) {
	header, err := manifest.Encode(struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Expect     uint64 `json:"expect"`
	}{manifest.APIVersion, "Metric", d.Revision})
	if err != nil {
		return "", err
	}
	body, err := manifest.Encode(d.Metric)
	return string(header) + string(body), err
}

// declareMetric does what the form of the list asks for.
func (s *server) declareMetric(w http.ResponseWriter, r *http.Request) error {
	form := dashboards.MetricForm("/catalogue", r.PostFormValue("document"), r.PostFormValue(formKey))
	key, back, code, err := s.sendMetric(r, form, "")
	if err == nil && back.Said == nil {
		return s.onward(w, r, dashboards.MetricLink(key), "Metric "+key+": saved.")
	}
	return s.catalogueWith(w, r, code, back)
}

// changeMetric does what the form of a metric asks for.
func (s *server) changeMetric(w http.ResponseWriter, r *http.Request) error {
	key := mux.Vars(r)["key"]
	form := dashboards.MetricForm(dashboards.MetricLink(key), r.PostFormValue("document"), r.PostFormValue(formKey))
	_, back, code, err := s.sendMetric(r, form, key)
	if err == nil && back.Said == nil {
		return s.onward(w, r, dashboards.MetricLink(key), "Metric "+key+": saved.")
	}
	return s.metricWith(w, r, code, &back)
}

// sendMetric applies the document of a form, or says what would become of it,
// and returns the key that it has and the form as it comes back.
func (s *server) sendMetric(r *http.Request, form dashboards.Form, want string) (key string, back dashboards.Form, code int, err error) {
	in := &applyIn{Comment: r.PostFormValue("comment"), DryRun: r.URL.Query().Get("check") != "", RawBody: []byte(r.PostFormValue("document"))}
	key, err = oneMetric(in.RawBody, want)
	var done []Applied
	if err == nil {
		done, err = s.applied(r.Context(), in)
	}
	switch {
	case in.DryRun && err != nil:
		return key, form.Foretell(problem(err), nil), http.StatusOK, nil
	case in.DryRun:
		return key, form.Foretell(nil, differencesOf(done)), http.StatusOK, nil
	case err != nil:
		form.Key = newFormKey() // what is sent next is another request
		return key, form.Refuse(err, sent(r)), problem(err).Status, err
	}
	return key, form, http.StatusOK, nil
}

func (s *server) applied(ctx context.Context, in *applyIn) ([]Applied, error) {
	out, err := s.apply(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Body.Applied, nil
}

func differencesOf(done []Applied) (all []string) {
	for _, d := range done {
		all = append(all, d.Differences...)
		if len(d.Differences) == 0 && d.Change != unchanged {
			all = append(all, d.Kind+" "+d.Key+" would be "+d.Change+".")
		}
	}
	return all
}

// oneMetric reads the key of the one metric that a form may hold.
func oneMetric(text []byte, want string) (string, error) {
	docs, err := manifest.Split(text)
	if err != nil {
		return "", err
	}
	var faults event.Invalids
	if len(docs) != 1 || docs[0].Kind != "Metric" {
		faults.Add("document", nil, "is not one document of kind Metric", "apply others by command: sluice apply")
		return "", faults
	}
	key := docs[0].Text("key")
	if want != "" && key != want {
		faults.Add("document", key, "is the key of another metric", "leave the key "+want+" as it is, or declare another metric in the list")
	}
	return key, faults.Err()
}
