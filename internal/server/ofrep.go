package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/stream"
)

// maxContext bounds the body of an evaluation.
const maxContext = 256 << 10

// evaluateFlag answers OFREP's single evaluation.
func (s *server) evaluateFlag(w http.ResponseWriter, r *http.Request) error {
	key := mux.Vars(r)["key"]
	work := papers.Get().(*paper)
	defer papers.Put(work)
	set, c, failure := s.evaluation(w, r, work)
	if failure != nil {
		return writeOFREP(w, failure.Status, failure.Body(key))
	}
	status, body := set.AppendOFREP(work.answer[:0], key, &c)
	work.answer = body
	return writeOFREP(w, status, body)
}

// evaluateFlags answers OFREP's bulk evaluation. Its entity tag is that of the
// answer, whatever changed it: a flag or an attribute of the context.
func (s *server) evaluateFlags(w http.ResponseWriter, r *http.Request) error {
	told := toldOf(r)
	if err := s.reach(r.Context(), told); err != nil {
		return err
	}
	work := papers.Get().(*paper)
	defer papers.Put(work)
	set, c, failure := s.evaluation(w, r, work)
	if failure != nil {
		return writeOFREP(w, failure.Status, failure.Body(""))
	}
	body, etag := set.AppendOFREPBulk(work.answer[:0], &c)
	body = s.appendStream(body, set.Environment())
	work.answer = body
	w.Header().Set("ETag", etag)
	if told != stream.Renew && flags.NoneMatch(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeOFREP(w, http.StatusOK, body)
}

// paper is what one evaluation is read into and answered from. Nothing of it
// outlives the request: a context holds copies of what it was parsed from.
type paper struct {
	body   bytes.Buffer
	answer []byte
}

// papers are used again: an evaluation costs less than its garbage.
var papers = sync.Pool{New: func() any { return new(paper) }}

// evaluation reads what both need: the flags of the caller's environment and
// the context.
func (s *server) evaluation(w http.ResponseWriter, r *http.Request, work *paper) (*flags.Set, flags.Context, *flags.Failure) {
	set, err := s.sets.at(environment(r, who(r.Context())))
	if err != nil {
		return nil, flags.Context{}, &flags.Failure{Status: http.StatusBadRequest, Code: flags.InvalidContext, Details: err.Error()}
	}
	work.body.Reset()
	if _, err := work.body.ReadFrom(http.MaxBytesReader(w, r.Body, maxContext)); err != nil {
		return nil, flags.Context{}, unread(err)
	}
	c, failure := flags.ParseContext(work.body.Bytes())
	c.Now = s.Now()
	return set, c, failure
}

// unread says why the context of an evaluation could not be read.
func unread(err error) *flags.Failure {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &flags.Failure{Status: http.StatusRequestEntityTooLarge, Code: flags.ParseError,
			Details: fmt.Sprintf("the context is larger than %d bytes; send what the rules ask for", large.Limit)}
	}
	return &flags.Failure{Status: http.StatusBadRequest, Code: flags.ParseError, Details: err.Error()}
}

func writeOFREP(w http.ResponseWriter, status int, body []byte) error {
	w.Header()["Content-Type"] = isJSON
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))} // or a long answer would come in chunks
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if this fails
	return nil
}

// isJSON is shared by all answers: a header's values are replaced or appended
// to, never written over.
var isJSON = []string{"application/json"}
