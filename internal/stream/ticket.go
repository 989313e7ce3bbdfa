package stream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// ErrTicket says that a ticket opens nothing: it was not made here, or has
// ended.
var ErrTicket = errors.New("this ticket opens nothing, or no longer; evaluate all flags again and use the new one")

// Window is how long the tickets of an environment stay the same, so that an
// answer with nothing new in it names the stream that is already open. A ticket
// is good for this window and the next.
const Window = time.Hour

// Tickets sign what a browser has in the address of a stream of notices, since
// it cannot send a header there. A ticket names an environment and its own end,
// and opens nothing but notices, which hold no values.
type Tickets struct {
	Key []byte // of the installation, so that every replica knows the tickets of the others; nil: there are none
}

// Issue writes the ticket of an environment.
func (t Tickets) Issue(environment string, now time.Time) string {
	end := now.Truncate(Window).Add(2 * Window)
	body := append(binary.BigEndian.AppendUint64(nil, uint64(end.Unix())), environment...)
	return base64.RawURLEncoding.EncodeToString(append(t.sign(body), body...))
}

// Check returns what a ticket is for and when it ends, else ErrTicket.
func (t Tickets) Check(text string, now time.Time) (environment string, end time.Time, err error) {
	ticket, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(t.Key) == 0 || len(ticket) < signature+8 {
		return "", time.Time{}, ErrTicket
	}
	sign, body := ticket[:signature], ticket[signature:]
	end = time.Unix(int64(binary.BigEndian.Uint64(body)), 0)
	if !hmac.Equal(sign, t.sign(body)) || !now.Before(end) {
		return "", time.Time{}, ErrTicket
	}
	return string(body[8:]), end, nil
}

// signature is the length of a signature: 128 bits, which nobody guesses within
// two hours.
const signature = 16

func (t Tickets) sign(body []byte) []byte {
	h := hmac.New(sha256.New, t.Key)
	h.Write([]byte("sluice stream ticket\x00"))
	h.Write(body)
	return h.Sum(nil)[:signature]
}
