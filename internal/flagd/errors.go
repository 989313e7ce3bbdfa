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

// failed is the error of a flag that has no answer.
func failed(why flags.ErrorCode) error {
	switch why {
	case flags.FlagNotFound:
		return connect.NewError(connect.CodeNotFound, flagNotFound)
	case flags.ParseError:
		return connect.NewError(connect.CodeDataLoss, parseError)
	}
	return unforeseen() // flags.General: an imported targeting names no variant, or a list of units is not there
}

func mismatch() error   { return connect.NewError(connect.CodeInvalidArgument, typeMismatch) }
func unforeseen() error { return connect.NewError(connect.CodeUnknown, generalError) }

// unreadable refuses a context. The reason follows flagd's words.
func unreadable(why *flags.Failure) error {
	return connect.NewError(connect.CodeDataLoss, wire(string(parseError)+": "+why.Details))
}

// unentered and unwanted end a stream: before it begins, since there are too
// many, upon which providers come back; and when its token may not stay.
func unentered(why error) error { return connect.NewError(connect.CodeUnavailable, wire(why.Error())) }
func unwanted() error {
	return connect.NewError(connect.CodeUnauthenticated, wire("the token no longer opens this stream"))
}

// unavailable is why an environment has no flags to give. That it does not
// exist is the client's to know; the rest is for the log, and passes.
func (h *Handler) unavailable(environment string, err error) error {
	var fault event.Invalid
	if errors.As(err, &fault) {
		return connect.NewError(connect.CodeInvalidArgument, wire(err.Error()+`; clients of flagd name it by the selector flagSetId=…`))
	}
	h.log.Error("reading the flags for a client of flagd", "environment", environment, "error", err)
	return connect.NewError(connect.CodeUnavailable, wire("the flags cannot be read now"))
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
