package server

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

// peer is how a program is answered that thinks it speaks to another service: as
// its library expects, with what was not taken added for people. Of a body that
// could be read that is no error, however many of its events are bad: libraries
// send a body that was refused again, for ever, and what is behind it never.
type peer struct {
	shape  shapes.Shape
	status int
	answer func(r ingest.Receipt) map[string]any
}

// The peers.
var (
	featbit = peer{shapes.FeatBit, http.StatusOK, func(ingest.Receipt) map[string]any { return map[string]any{} }}
	agent   = peer{shapes.Agent, http.StatusAccepted, func(r ingest.Receipt) map[string]any {
		return map[string]any{"accepted": r.Accepted, "dropped": len(r.Rejected)}
	}}
	collector = peer{shapes.Collector, http.StatusOK, func(r ingest.Receipt) map[string]any {
		return map[string]any{"ingestedContentCount": r.Accepted}
	}}
	segment = peer{shapes.Segment, http.StatusOK, func(ingest.Receipt) map[string]any {
		return map[string]any{"success": true}
	}}
)

// take is the handler of what the peer's senders send.
func (p peer) take(s *server, w http.ResponseWriter, r *http.Request) error {
	in, err := s.request(r)
	if err != nil {
		return err
	}
	in.Shape = p.shape
	receipt, err := s.Intake.Accept(r.Context(), in, s.Now())
	var refused ingest.Refused
	if errors.As(err, &refused) {
		receipt, err = ingest.Receipt{Rejected: refused}, nil
	}
	if err != nil {
		return err
	}
	answer := p.answer(receipt)
	if len(receipt.Rejected) > 0 {
		maps.Copy(answer, map[string]any{"rejected": receipt.Rejected})
	}
	return writeJSON(w, p.status, answer)
}

// binaryPrefix begins the headers of a CloudEvent in binary mode, of whose values
// what is not plain is percent-encoded (CloudEvents 1.0.2, HTTP protocol binding,
// section 3.1.3).
const binaryPrefix = "Ce-"

// asCloudEvents says that a request holds CloudEvents if it does.
func asCloudEvents(h http.Header, in *ingest.Request) {
	media, _, err := mime.ParseMediaType(in.Type)
	if err == nil && (media == shapes.OneCloudEvent || media == shapes.CloudEventsBatch) {
		in.Shape = shapes.CloudEvents
		return
	}
	if h.Get(binaryPrefix+"Specversion") == "" {
		return
	}
	in.Shape, in.Attributes = shapes.CloudEvents, map[string]string{}
	for name, values := range h {
		if attribute, ok := strings.CutPrefix(name, binaryPrefix); ok && len(values) > 0 {
			text, err := url.PathUnescape(values[0])
			if err != nil {
				text = values[0]
			}
			in.Attributes[strings.ToLower(attribute)] = text
		}
	}
}
