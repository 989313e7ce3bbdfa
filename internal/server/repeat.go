package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// keyHeader names a request, so that its sender can repeat it when the answer
// was lost.
const keyHeader = "Idempotency-Key"

// errReused says that a key was used for another request.
var errReused = errors.New("this " + keyHeader + " was used for another request")

// repeatable is a request that has a key. The IDs of its events derive from who
// sends it, the address and the key, so that a repeat is the same event, however
// late, to whichever replica; each event keeps the hash of the request, so that
// another one under the same key is refused.
type repeatable struct {
	event.Request
	about string // of several things that the request does, the one that is done now
	n     int    // commands about it so far
	seq   uint64 // of the newest event that an earlier sending of the request has made; 0: none
}

// maxKey bounds a key, as payment services bound theirs.
const maxKey = 255

// admitKey notes the key of a request that changes something, and refuses one
// that was used for another request.
func (s *server) admitKey(a *asker, r *http.Request, needs access.Permission) (err error) {
	if r.Method == http.MethodGet || needs != access.Write && needs != access.Report && needs != access.Decide && needs != access.Manage {
		return nil
	}
	key := r.Header.Get(keyHeader)
	if key == "" && isForm(r) {
		if key, err = keyOfForm(r); err != nil {
			return err
		}
	}
	if key == "" {
		return nil
	}
	if len(key) > maxKey || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return event.Invalid{Path: keyHeader, Why: "is not a key", Fix: "write up to 255 characters of plain text, such as a UUID"}
	}
	a.repeatable = &repeatable{Request: event.Request{Key: event.Derive("request", a.Name, r.Method, r.URL.Path, key)}}
	if a.Hash, err = digest(r); err != nil {
		return err
	}
	s.Projection.View(func(uint64) {
		if hash, used := s.Requests.Hash(a.Key); used && hash != a.Hash {
			err = errReused
		}
	})
	return err
}

// digest hashes what a request asks for. It reads the body for that, and puts it
// back.
func digest(r *http.Request) (event.Hash, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return event.Hash{}, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	sum := sha256.New()
	for _, part := range []string{r.URL.Query().Encode(), r.Header.Get("If-Match"), string(body)} {
		sum.Write([]byte(strconv.Itoa(len(part)) + ":" + part)) // a hash never fails
	}
	return event.Hash(sum.Sum(nil)), nil
}

// next returns the ID of the next event of a request; false when it has no key.
func (k *repeatable) next() (event.ID, bool) {
	if k == nil {
		return event.ID{}, false
	}
	k.n++
	return event.Derive(k.Key.String(), k.about, strconv.Itoa(k.n)), true
}

// turnTo says which of several things that a request does comes now. What of
// them was done is told apart by that, not by their number: another time some
// may have nothing to do.
func turnTo(ctx context.Context, thing ...string) {
	if k := asking(ctx).repeatable; k != nil {
		k.about, k.n = strings.Join(thing, " "), 0
	}
}

// unkeyed returns the context of a request whose commands come to nothing.
func unkeyed(ctx context.Context) context.Context {
	a := *asking(ctx)
	a.repeatable = nil
	return context.WithValue(ctx, askerKey{}, &a)
}

// made returns the sequence of the event of that ID, if this very request asked
// for it; errReused if another one did.
func (h House) made(ctx context.Context, id event.ID) (uint64, bool, error) {
	var kept event.Kept
	known := false
	h.Projection.View(func(uint64) { kept, known = h.Requests.Find(id) })
	if known && kept.Request != asking(ctx).repeatable.Request {
		return 0, false, errReused
	}
	return kept.Seq, known, nil
}

// again returns the sequence of the event that this very request made when it
// was sent before, 0 when it was not.
func again(ctx context.Context) uint64 {
	if k := asking(ctx).repeatable; k != nil {
		return k.seq
	}
	return 0
}
