package harness

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/server"
)

// door is another replica of the world's house: it follows the same log, and
// takes over HTTP what others send, from whoever holds the token.
type door struct {
	house server.House
	token string
}

// open starts the replica and issues the token of Alertmanager, which may
// report and nothing else.
func (w *world) open() (*door, error) {
	folds := server.NewFolds()
	d := &door{house: server.House{
		Folds: folds, Log: w.log, Blobs: w.blobs, Projection: event.NewProjection(folds.All()...),
		Now: func() time.Time { return w.now }, Entropy: rand.NewChaCha8([32]byte{}), Version: "story",
	}}
	go func() { _ = d.house.Projection.Run(w.ctx, w.log) }()
	if err := d.catch(w); err != nil {
		return nil, err
	}
	reporter := access.Token{Class: access.Account, Kind: access.OfService, Role: access.Reporter, Name: "alertmanager"}
	var err error
	d.token, _, err = server.IssueToken(w.ctx, d.house, reporter, "person:ana")
	return d, err
}

// catch waits until the replica has seen all that the log holds.
func (d *door) catch(w *world) error {
	last, err := w.log.Last(w.ctx)
	if err != nil {
		return err
	}
	return d.house.Projection.Wait(w.ctx, last)
}

// webhook posts a group of alerts as Alertmanager does, and lets the controller
// look.
func (w *world) webhook(input string) (string, error) {
	if w.door == nil {
		var err error
		if w.door, err = w.open(); err != nil {
			return "", err
		}
	}
	if err := w.door.catch(w); err != nil {
		return "", err
	}
	r := httptest.NewRequestWithContext(w.ctx, http.MethodPost, "/hooks/alertmanager", strings.NewReader(input))
	r.Header.Set("Authorization", "Bearer "+w.door.token)
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	server.New(w.door.house).ServeHTTP(answer, r)
	said := hooked(answer)
	err := w.step()
	return said + w.tell(), err
}

// hooked tells what the answer says of each alert.
func hooked(answer *httptest.ResponseRecorder) string {
	var out strings.Builder
	var body server.HookAnswer
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil || answer.Code != http.StatusOK {
		return fmt.Sprintf("answers %d: %s\n", answer.Code, strings.TrimSpace(answer.Body.String()))
	}
	for _, a := range body.Alerts {
		fmt.Fprintf(&out, "%s %s", a.Outcome, a.Alert)
		switch {
		case len(a.Errors) > 0:
			fmt.Fprintf(&out, ": %s", event.Invalids(a.Errors).Error())
		case a.Note != "":
			fmt.Fprintf(&out, ": %s", a.Note)
		case a.Severity != "":
			fmt.Fprintf(&out, " (%s of %s)", a.Severity, a.Flag)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// incidents lists those that were told of, the newest first.
func (w *world) incidents() string {
	var out strings.Builder
	for _, r := range w.state.AllIncidents() {
		fmt.Fprintf(&out, "%s %s of %s since %s, told by %s", r.Severity, r.ID, r.Flag, r.Since.Format(time.TimeOnly), r.By)
		if !r.Open() {
			fmt.Fprintf(&out, "; resolved at %s by %s: %s", r.Resolved.Format(time.TimeOnly), r.ResolvedBy, r.Comment)
		}
		out.WriteString("\n")
	}
	return out.String()
}
