package server

import (
	"errors"
	"io"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/flags"
)

// maxContext bounds the body of an evaluation.
const maxContext = 256 << 10

// evaluateFlag answers OFREP's single evaluation.
func (s *server) evaluateFlag(w http.ResponseWriter, r *http.Request) error {
	key := mux.Vars(r)["key"]
	set, c, failure := s.evaluation(w, r)
	if failure != nil {
		return writeOFREP(w, failure.Status, failure.Body(key))
	}
	status, body := set.OFREP(key, &c)
	return writeOFREP(w, status, body)
}

// evaluateFlags answers OFREP's bulk evaluation. Its entity tag is that of the
// answer, whatever changed it: a flag or an attribute of the context.
func (s *server) evaluateFlags(w http.ResponseWriter, r *http.Request) error {
	set, c, failure := s.evaluation(w, r)
	if failure != nil {
		return writeOFREP(w, failure.Status, failure.Body(""))
	}
	body, etag := set.OFREPBulk(&c)
	w.Header().Set("ETag", etag)
	if flags.NoneMatch(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeOFREP(w, http.StatusOK, body)
}

// evaluation reads what both need: the flags of the caller's environment and
// the context.
func (s *server) evaluation(w http.ResponseWriter, r *http.Request) (*flags.Set, flags.Context, *flags.Failure) {
	set, err := s.sets.at(environment(r, who(r.Context())))
	if err != nil {
		return nil, flags.Context{}, &flags.Failure{Status: http.StatusBadRequest, Code: flags.InvalidContext, Details: err.Error()}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxContext))
	if err != nil {
		status := http.StatusBadRequest
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		return nil, flags.Context{}, &flags.Failure{Status: status, Code: flags.ParseError, Details: err.Error()}
	}
	c, failure := flags.ParseContext(body)
	return set, c, failure
}

func writeOFREP(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if this fails
	return nil
}
