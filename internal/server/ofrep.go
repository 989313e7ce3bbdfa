package server

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/stream"
)

// maxContext bounds the body of an evaluation.
const maxContext = 256 << 10

// evaluateFlag answers OFREP's single evaluation.
func (s *server) evaluateFlag(w http.ResponseWriter, r *http.Request) error {
	key := asking(r.Context()).key
	work := papers.Get().(*paper)
	defer papers.Put(work)
	set, c, err := s.evaluation(r, work)
	if err != nil {
		return err
	}
	status, body := set.AppendOFREP(work.answer[:0], key, &c)
	if work.answer = body; status == http.StatusServiceUnavailable {
		return cmp.Or(s.sets.whole(), errLists)
	}
	s.witness(set, key, &c)
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
	set, c, err := s.evaluation(r, work)
	if err != nil {
		return err
	}
	if !set.Whole() { // an answer with a hole would take from the client what it holds
		return cmp.Or(s.sets.whole(), errLists)
	}
	body, etag := set.AppendOFREPBulk(work.answer[:0], &c)
	body = s.appendStream(body, set.Environment())
	work.answer = body
	w.Header().Set("ETag", etag)
	if told != stream.Renew && flags.NoneMatch(strings.Join(r.Header.Values("If-None-Match"), ","), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeOFREP(w, http.StatusOK, body)
}

// paper is what one evaluation is read into and answered from. Nothing of it
// outlives the request: a context holds copies of what it was parsed from.
type paper struct {
	in     io.LimitedReader
	body   bytes.Buffer
	answer []byte
}

// read reads a context.
func (p *paper) read(body io.Reader) error {
	p.body.Reset()
	p.in = io.LimitedReader{R: body, N: maxContext + 1}
	_, err := p.body.ReadFrom(&p.in)
	if p.in.R = nil; err == nil && p.body.Len() > maxContext {
		err = &http.MaxBytesError{Limit: maxContext}
	}
	return err
}

// papers are used again: an evaluation costs less than its garbage.
var papers = sync.Pool{New: func() any { return new(paper) }}

// evaluation reads what both need: the flags of the caller's environment and
// the context. What is wrong with the request is a flags.Failure; that the
// flags cannot be had is no fault of the request's.
func (s *server) evaluation(r *http.Request, work *paper) (*flags.Set, flags.Context, error) {
	set, err := s.sets.at(environment(r, who(r.Context())))
	if invalid := (event.Invalid{}); errors.As(err, &invalid) {
		err = &flags.Failure{Status: http.StatusBadRequest, Code: flags.InvalidContext, Details: invalid.Error()}
	}
	if err != nil {
		return nil, flags.Context{}, err
	}
	if err := work.read(r.Body); err != nil {
		return nil, flags.Context{}, unread(err)
	}
	c, failure := flags.ParseContext(work.body.Bytes())
	if failure != nil { // never returned as it is: an error that holds a nil pointer is none
		return nil, flags.Context{}, failure
	}
	c.Now = s.Now()
	return set, c, nil
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

// evaluations is what the paths of OFREP's evaluations begin with, and
// evaluationOf those of one flag.
const (
	evaluations  = "/ofrep/v1/evaluate/"
	evaluationOf = evaluations + "flags/"
)

// refusedOFREP reports whether it has told a client that evaluates why it gets
// no answer, in the shape of the protocol: providers read nothing else. A key
// that no flag can have, with a slash in it, is one that no flag has.
func refusedOFREP(w http.ResponseWriter, r *http.Request, err error) bool {
	if !strings.HasPrefix(r.URL.Path, evaluations) {
		return false
	}
	key, ok := strings.CutPrefix(r.URL.Path, evaluationOf)
	if !ok {
		key = "" // of all flags
	}
	var failure *flags.Failure
	switch {
	case errors.As(err, &failure):
		_ = writeOFREP(w, failure.Status, failure.Body(key))
	case errors.Is(err, errNoSuch) && key != "":
		status, body := new(flags.Set).OFREP(key, nil)
		_ = writeOFREP(w, status, body)
	default:
		p := problem(err)
		p.tell(w.Header())
		body, _ := json.Marshal(map[string]string{"errorDetails": p.Detail}) // encodes
		_ = writeOFREP(w, p.Status, body)
	}
	return true
}

func writeOFREP(w http.ResponseWriter, status int, body []byte) error {
	w.Header()["Content-Type"] = isJSON
	if len(body) > buffered {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if this fails
	return nil
}

// buffered is the size up to which net/http finds an answer's length by
// itself; a longer one would come in chunks.
const buffered = 2048

// isJSON is shared by all answers: a header's values are replaced or appended
// to, never written over.
var isJSON = []string{"application/json"}
