package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/notify"
	"github.com/sluice-hq/sluice/internal/stream"
)

// What is told of what nobody foresaw, and of what took too long: the reasons
// name hosts and folders, and go to the log alone.
const (
	internal = "the server could not do that; its log says why"
	late     = "something that the server asks did not answer in time; its log says what"
)

// Errors of the doors themselves.
var (
	errUnauthorized = errors.New("no valid token: send \"Authorization: Bearer <token>\"")
	errAddressed    = fmt.Errorf("%w; an address holds none but those of clients (slc_…), for events, because addresses are logged: end this one if it went over the wire", errUnauthorized)
	errForbidden    = errors.New("this token may not do that")
	errForeign      = errors.New("a page of another site may not do that")
	errTooLarge     = errors.New("the request body is too large")
	errSlow         = errors.New("the body of the request did not arrive, or not in time")
	errNoSuch       = errors.New("there is nothing of that name")
	errElsewhere    = errors.New("there is nothing of that name here")
	errBehind       = errors.New("this replica does not yet know of the change that you were told of")
	errTooMany      = errors.New("too many requests: come back when Retry-After says so")
	errMethod       = errors.New("this address does not take that method")
)

// Problem is an error as the API tells it: RFC 9457, with every fault of a
// document and the field it is in.
type Problem struct {
	Type   string          `json:"type" doc:"stable name of the kind of problem" example:"/problems/conflict"`
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail,omitempty"`
	Errors []event.Invalid `json:"errors,omitempty"`

	Rejected []ingest.Rejection `json:"rejected,omitempty" doc:"events of a request of which none could be taken"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus tells the API layer the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells the API layer the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders tells the API layer when to come back.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusServiceUnavailable {
		comeBack(h)
	}
	return h
}

// problem is the one place where an error becomes a status.
func problem(err error) *Problem {
	var done *Problem
	if errors.As(err, &done) {
		return done
	}
	p := &Problem{Detail: err.Error()}
	p.Status, p.Type = status(err)
	if errors.Is(err, flags.ErrApproval) {
		p.Detail += ": sluice change propose, or POST /api/v1/flags/{key}/requests"
	}
	p.Title = http.StatusText(p.Status)
	var faults event.Invalids
	if errors.As(err, &faults) {
		p.Errors = faults
	}
	var refused ingest.Refused
	if errors.As(err, &refused) {
		p.Rejected = refused
	}
	var missing Unavailable
	if errors.As(err, &missing) {
		p.Detail = missing.detail()
	}
	switch {
	case p.Status == http.StatusInternalServerError:
		p.Detail = internal
	case p.late():
		p.Detail = late
	}
	return p
}

// late reports whether a part of the house took too long, not the client.
func (p *Problem) late() bool {
	return p.Status == http.StatusServiceUnavailable && p.Type == "/problems/timeout"
}

func status(err error) (int, string) {
	var faults event.Invalids
	var fault event.Invalid
	var document *manifest.Error
	var large *http.MaxBytesError
	var refused ingest.Refused
	var done *Problem
	var missing Unavailable
	var failure *flags.Failure
	switch {
	case errors.As(err, &done):
		return done.Status, done.Type
	case errors.As(err, &failure):
		return failure.Status, "/problems/invalid"
	case errors.As(err, &missing): // first: what is behind it is no fault of the request
		return http.StatusServiceUnavailable, "/problems/unavailable"
	case errors.Is(err, errNotExported): // before: its faults are the flags', not the request's
		return http.StatusConflict, "/problems/not-exported"
	case errors.As(err, &refused), errors.As(err, &faults), errors.As(err, &fault), errors.As(err, &document):
		return http.StatusBadRequest, "/problems/invalid"
	case errors.Is(err, errLists):
		return http.StatusServiceUnavailable, "/problems/busy"
	case errors.Is(err, errUnauthorized):
		return http.StatusUnauthorized, "/problems/unauthorized"
	case errors.Is(err, errForbidden), errors.Is(err, errForeign):
		return http.StatusForbidden, "/problems/forbidden"
	case errors.Is(err, errNoSuch), errors.Is(err, errElsewhere), errors.Is(err, event.ErrNotFound), errors.Is(err, access.ErrUnknown),
		errors.Is(err, flags.ErrUnknown), errors.Is(err, decisions.ErrUnknown), errors.Is(err, decisions.ErrNoIncident), errors.Is(err, stream.ErrUnknown), errors.Is(err, notify.ErrUnknown):
		return http.StatusNotFound, "/problems/not-found"
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed, "/problems/method-not-allowed"
	case errors.Is(err, flags.ErrApproval):
		return http.StatusConflict, "/problems/approval"
	case errors.Is(err, flags.ErrEnded):
		return http.StatusConflict, "/problems/ended"
	case errors.Is(err, errTooMany):
		return http.StatusTooManyRequests, "/problems/too-many-requests"
	case errors.Is(err, errStale):
		return http.StatusPreconditionFailed, "/problems/precondition-failed"
	case errors.Is(err, errReused):
		return http.StatusUnprocessableEntity, "/problems/key-reused"
	case errors.Is(err, event.ErrConflict), errors.Is(err, errTold):
		return http.StatusConflict, "/problems/conflict"
	case errors.Is(err, decisions.ErrRefused), errors.Is(err, decisions.ErrIncidentKnown), errors.Is(err, decisions.ErrIncidentOver), errors.Is(err, flags.ErrRefused), errors.Is(err, flags.ErrUnchanged), errors.Is(err, notify.ErrRefused):
		return http.StatusConflict, "/problems/refused"
	case errors.Is(err, errTooLarge), errors.Is(err, ingest.ErrTooLarge), errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, "/problems/too-large"
	case errors.Is(err, ingest.ErrMedia):
		return http.StatusUnsupportedMediaType, "/problems/unsupported-media-type"
	case errors.Is(err, ingest.ErrBusy), errors.Is(err, ingest.ErrCrowded), errors.Is(err, stream.ErrBusy), errors.Is(err, errBehind):
		return http.StatusServiceUnavailable, "/problems/busy"
	case errors.Is(err, event.ErrReadOnly), errors.Is(err, event.ErrDamaged):
		return http.StatusServiceUnavailable, "/problems/read-only"
	case errors.Is(err, errSlow), errors.Is(err, context.Canceled): // of a client that has gone
		return http.StatusRequestTimeout, "/problems/timeout"
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "/problems/timeout"
	}
	return http.StatusInternalServerError, "/problems/internal"
}

// ownErrors makes the API layer tell its own refusals as problems too. The hook
// is the layer's, for the whole process.
var ownErrors = sync.OnceFunc(func() {
	huma.NewError = func(code int, message string, errs ...error) huma.StatusError { return refusal(code, message, errs) }
})

// refusal is a request that the API layer could not decode.
func refusal(code int, message string, errs []error) *Problem {
	if code == http.StatusUnprocessableEntity {
		code = http.StatusBadRequest // one status for all that is wrong with a request
	}
	p := &Problem{Type: "/problems/invalid", Title: http.StatusText(code), Status: code, Detail: message}
	switch code {
	case http.StatusRequestEntityTooLarge:
		p.Type = "/problems/too-large"
	case http.StatusUnsupportedMediaType:
		p.Type = "/problems/unsupported-media-type"
	case http.StatusRequestTimeout:
		p.Type = "/problems/timeout"
	case http.StatusInternalServerError:
		p.Type, p.Detail = "/problems/internal", internal
		return p
	}
	var faults event.Invalids
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			faults = append(faults, fault(d.ErrorDetail()))
		} else if err != nil {
			faults.Add("", nil, err.Error(), "")
		}
	}
	if len(faults) > 0 {
		p.Detail, p.Errors = faults.Error(), faults
	}
	return p
}

// fault repeats a value only when it is a short one: the whole body is none.
func fault(d *huma.ErrorDetail) event.Invalid {
	f := event.Invalid{Path: d.Location, Why: "is not as it should be: " + d.Message}
	switch v := d.Value.(type) {
	case string:
		if len(v) <= 80 {
			f.Value = v
		}
	case bool, int, int64, uint64, float64:
		f.Value = fmt.Sprint(v)
	}
	return f
}

// fail answers with a problem.
func fail(w http.ResponseWriter, err error) {
	p := problem(err)
	w.Header().Set("Content-Type", p.ContentType(""))
	p.tell(w.Header())
	w.WriteHeader(p.Status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // it is no page, and people read it
	_ = e.Encode(p)        // the client is gone if this fails
}

// tell says in the headers of an answer what is to be done about it.
func (p *Problem) tell(h http.Header) {
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="sluice"`)
	case http.StatusServiceUnavailable:
		comeBack(h)
	}
}

// refusedInProtocol reports whether it has told a client that its request is
// refused, in the protocol that the client speaks.
func refusedInProtocol(w http.ResponseWriter, r *http.Request, err error) bool {
	return refusedFlagd(w, r, err) || refusedOFREP(w, r, err) || refusedOTLP(w, r, err)
}
