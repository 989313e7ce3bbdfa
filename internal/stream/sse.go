package stream

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// alive is a comment, which parsers of event streams pass over (HTML Living
// Standard, section 9.2.6). It keeps proxies from closing a quiet connection,
// and its write finds out that a listener has gone.
var alive = []byte(":\n\n")

// encode writes one event. The JSON of encoding/json has no line breaks, so
// that it fits in one data line.
func encode(kind string, revision uint64, data any) []byte {
	body, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("encoding a %s: %v", kind, err)) // unreachable unless a value of a flag is no JSON, which no event with it would be
	}
	b := make([]byte, 0, len(body)+64)
	b = strconv.AppendUint(append(b, "id: "...), revision, 10)
	b = append(append(b, "\nevent: "...), kind...)
	b = append(append(b, "\ndata: "...), body...)
	return append(b, "\n\n"...)
}

// hello is the one event of its own that a listener gets: its name, for
// acknowledgements, and what this replica is at. It has no id, so that it does
// not move the place from which the stream is taken up.
func hello(s *Stream) []byte {
	b := retry(s.request.Retry)
	if s.request.Notices {
		return b
	}
	return fmt.Appendf(b, "event: hello\ndata: {\"stream\":%q,\"environment\":%q,\"revision\":%d}\n\n",
		s.request.ID, s.request.Environment, s.at.revision)
}

// retry tells a listener how long to wait before it comes back.
func retry(wait time.Duration) []byte {
	return fmt.Appendf(nil, "retry: %d\n\n", wait.Milliseconds())
}

// notice tells an OFREP client to ask again (open-feature/protocol, ADR 0008).
// It names what the answer must not be older than, and never a value.
type notice struct {
	Type         string `json:"type"`
	ETag         string `json:"etag"`
	LastModified int64  `json:"lastModified,omitempty"` // Unix seconds
}

func refetch(revision uint64, changed time.Time) []byte {
	n := notice{Type: "refetchEvaluation", ETag: ETag(revision)}
	if !changed.IsZero() {
		n.LastModified = changed.Unix()
	}
	return encode("message", revision, n)
}

// renewal tells an OFREP client to ask again although no flag changed, because
// its ticket ends.
func renewal(revision uint64) []byte {
	return encode("message", revision, notice{Type: "refetchEvaluation", ETag: Renew})
}

// Renew is the tag of a notice that is about the ticket alone: whoever sends it
// back wants the answer whole, with a new ticket, although it has not changed.
const Renew = `"renew"`

// ETag writes a revision as the tag of a notice.
func ETag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// ParseETag reads what ETag wrote, as clients send it back.
func ParseETag(tag string) (revision uint64, ok bool) {
	if text, err := strconv.Unquote(tag); err == nil {
		tag = text
	}
	revision, err := strconv.ParseUint(tag, 10, 64)
	return revision, err == nil
}
