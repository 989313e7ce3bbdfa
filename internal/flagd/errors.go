package flagd

import (
	"errors"
	"net/http"

	"connectrpc.com/connect"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// wire is an error in flagd's own words, which its clients may compare.
type wire string

func (w wire) Error() string { return string(w) }

// What flagd answers when it has no value to give. Providers turn the codes
// into OpenFeature's FLAG_NOT_FOUND, TYPE_MISMATCH and PARSE_ERROR.
const (
	flagNotFound wire = "Flag not found"
	typeMismatch wire = "Type mismatch error"
	parseError   wire = "Error parsing input or configuration"
	generalError wire = "General error"
)

func notFound() error   { return connect.NewError(connect.CodeNotFound, flagNotFound) }
func mismatch() error   { return connect.NewError(connect.CodeInvalidArgument, typeMismatch) }
func unforeseen() error { return connect.NewError(connect.CodeUnknown, generalError) }

// unreadable refuses a context. The reason follows flagd's words.
func unreadable(why *flags.Failure) error {
	return connect.NewError(connect.CodeDataLoss, wire(string(parseError)+": "+why.Details))
}

// misplaced refuses an environment.
func misplaced(err error) error {
	return connect.NewError(connect.CodeInvalidArgument, wire(err.Error()+`; flagd's clients name it by the selector flagSetId=…`))
}

// unexportable is why an environment has no document. What the rules of the
// exporter say is the client's to read; the rest is for the log.
func (h *Handler) unexportable(environment string, err error) error {
	var fault event.Invalid
	var faults event.Invalids
	if errors.As(err, &fault) || errors.As(err, &faults) {
		return connect.NewError(connect.CodeFailedPrecondition, err)
	}
	h.log.Error("exporting flags", "environment", environment, "error", err)
	return unforeseen()
}

// Refuse answers a request to a service with an error, as the protocol of the
// request has it, and reports whether it did: a path of no service and a media
// type of no protocol are left to the caller.
func Refuse(w http.ResponseWriter, r *http.Request, status int, err error) bool {
	return Serves(r.URL.Path) && refuse(w, r, connect.NewError(code(status), err))
}

func refuse(w http.ResponseWriter, r *http.Request, err error) bool {
	writer := connect.NewErrorWriter(connect.WithCodec(codec{"json"}), connect.WithCodec(codec{"json; charset=utf-8"}))
	if !writer.IsSupported(r) {
		return false
	}
	_ = writer.Write(w, r, err) // the client is gone if this fails
	return true
}

// code returns the code that says what a status of HTTP says.
func code(status int) connect.Code {
	switch status {
	case http.StatusBadRequest:
		return connect.CodeInvalidArgument
	case http.StatusUnauthorized:
		return connect.CodeUnauthenticated
	case http.StatusForbidden:
		return connect.CodePermissionDenied
	case http.StatusNotFound:
		return connect.CodeNotFound
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return connect.CodeUnavailable // providers come back by themselves
	}
	return connect.CodeUnknown
}
