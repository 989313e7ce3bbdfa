package server

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/otlp"
)

// logsPath is where OTLP exporters send log records to.
const logsPath = "/v1/logs"

// takeLogs answers POST /v1/logs: 200 when the evaluations among the log records
// are on disk as exposures, with the number of records that were not taken.
func (s *server) takeLogs(w http.ResponseWriter, r *http.Request) error {
	in, err := s.request(r)
	if err != nil {
		return err
	}
	in.Logs = true
	receipt, err := s.Intake.Accept(r.Context(), in, s.Now())
	rejected := receipt.Rejected
	var refused ingest.Refused
	if errors.As(err, &refused) { // none is taken, which is no fault of the transport
		rejected, err = []ingest.Rejection(refused), nil
	}
	if err != nil {
		return err
	}
	media := mediaOf(r)
	return writeOTLP(w, media, http.StatusOK, otlp.Answer(media, events(rejected), first(rejected)))
}

// events counts the different events of rejections.
func events(list []ingest.Rejection) int {
	n, last := 0, -1
	for _, r := range list {
		if r.Index != last {
			n, last = n+1, r.Index
		}
	}
	return n
}

// first says what is wrong with the first record, and that there are more.
func first(list []ingest.Rejection) string {
	if len(list) == 0 {
		return ""
	}
	if more := events(list) - 1; more > 0 {
		return fmt.Sprintf("%v; and %d more records", list[0], more)
	}
	return list[0].Error()
}

// mediaOf returns the encoding that an answer has: the request's.
func mediaOf(r *http.Request) string {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == otlp.Protobuf {
		return otlp.Protobuf
	}
	return otlp.JSON
}

// refusedOTLP reports whether it has told an exporter why its records are not
// taken, in the shape of the protocol.
func refusedOTLP(w http.ResponseWriter, r *http.Request, err error) bool {
	if r.URL.Path != logsPath || r.Method != http.MethodPost {
		return false
	}
	p := problem(err)
	p.tell(w.Header())
	media := mediaOf(r)
	_ = writeOTLP(w, media, p.Status, otlp.Status(media, cmp.Or(strings.TrimSpace(p.Detail), p.Title)))
	return true
}

func writeOTLP(w http.ResponseWriter, media string, status int, body []byte) error {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if this fails
	return nil
}
