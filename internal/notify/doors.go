package notify

import (
	"net"
	"net/http"
	"time"
)

// Doors are the two ways out: one for what is encrypted, and one for what is
// sent in the clear, which reaches allowed internal addresses alone.
type Doors struct{ secure, plain *http.Client }

// Open returns the doors. No proxy is asked: it would dial in our place, where
// nobody looks at the address.
func Open(allow Allow) Doors {
	return Doors{secure: door(guard{allow: allow}), plain: door(guard{allow: allow, only: true})}
}

func door(g guard) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: g.control}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConns: 16, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
		},
		// A redirect is a failure, as the specification has it: whoever may
		// answer for a receiver must not choose where messages go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (d Doors) client(scheme string) *http.Client {
	if scheme == "https" {
		return d.secure
	}
	return d.plain
}
