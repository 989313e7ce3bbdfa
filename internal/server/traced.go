package server

import (
	"errors"
	"net/http"

	"github.com/sluice-hq/sluice/internal/trace"
)

// traced puts the requests of a route into the traces that their senders began,
// or into new ones. It is for requests that are traced alone: others are not to
// pay for it.
func traced(at *route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := trace.Start(trace.From(r.Context(), r.Header), trace.Server, at.method+" "+at.path)
		span.Text("http.request.method", r.Method)
		span.Text("http.route", at.path)
		seen := &tracedAnswer{ResponseWriter: w, status: http.StatusOK}
		defer func() { seen.end(span) }()
		next.ServeHTTP(seen, r.WithContext(ctx))
	})
}

// tracedAnswer is an answer that knows its status.
type tracedAnswer struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *tracedAnswer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (a *tracedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// end ends the span of a request. What is refused is the sender's fault, and no
// fault of the span's.
func (a *tracedAnswer) end(span trace.Span) {
	span.Number("http.response.status_code", a.status)
	var err error
	if a.status >= http.StatusInternalServerError {
		err = errors.New(http.StatusText(a.status))
	}
	span.End(err)
}
