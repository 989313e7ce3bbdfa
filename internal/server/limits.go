package server

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/limit"
)

// Limits is how much may come through the doors. The zero value has no limit;
// StandardLimits has those of a house that faces the world. Evaluations and
// events have buckets of their own, so that no flood of events keeps anybody
// from a flag.
type Limits struct {
	Evaluate          limit.Rate // evaluations and streams, of one token
	EvaluateAddress   limit.Rate // of one address with client tokens, which many browsers share
	Events            limit.Rate // requests with events, of one token
	EventsAddress     limit.Rate // of one address with client tokens
	EventBytes        limit.Rate // of those requests as they come, of one token
	EventBytesAddress limit.Rate // of one address with client tokens
	API               limit.Rate // everything else, of one token
	Unknown           limit.Rate // requests without a valid token, of one address
	SignIn            limit.Rate // attempts to sign in, of one address

	EventsAtOnce int            // requests with events that are under way; 0: no bound
	Proxies      []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed; none: nobody's
}

// StandardLimits stop floods and mistakes, and nothing that a house of this
// size is for.
func StandardLimits() Limits {
	return Limits{
		Evaluate: limit.Rate{N: 50_000, Per: time.Second}, EvaluateAddress: limit.Rate{N: 1000, Per: time.Second},
		Events: limit.Rate{N: 20_000, Per: time.Second}, EventsAddress: limit.Rate{N: 200, Per: time.Second},
		EventBytes: limit.Rate{N: 256 << 20, Per: time.Second}, EventBytesAddress: limit.Rate{N: 8 << 20, Per: time.Second},
		API: limit.Rate{N: 2000, Per: time.Second}, Unknown: limit.Rate{N: 200, Per: time.Second},
		SignIn: limit.Rate{N: 10, Per: time.Minute}, EventsAtOnce: 512,
	}
}

// Set changes the rate of a name, as the command line has it.
func (l *Limits) Set(name, rate string) error {
	all := map[string]*limit.Rate{
		"evaluate": &l.Evaluate, "evaluate-address": &l.EvaluateAddress, "events": &l.Events, "events-address": &l.EventsAddress,
		"event-bytes": &l.EventBytes, "event-bytes-address": &l.EventBytesAddress, "api": &l.API, "unknown": &l.Unknown, "sign-in": &l.SignIn,
	}
	var faults event.Invalids
	r, err := limit.Parse(rate)
	switch {
	case all[name] == nil:
		faults.Add("rate", name, "is not limited by itself",
			"write evaluate, events, event-bytes, each alone or with -address, api, unknown or sign-in")
	case err != nil:
		faults.Add("rate."+name, rate, "is not a rate", "write one such as 100/s, 10/m, 8MiB/s or none")
	default:
		*all[name] = r
	}
	return faults.Err()
}

// pools are the buckets of the limits.
type pools struct {
	evaluate, events, bytes, api        *limit.Pool   // by token
	evaluateFrom, eventsFrom, bytesFrom *limit.Pool   // by address, of client tokens
	unknown, signIn                     *limit.Pool   // by address
	atOnce                              chan struct{} // nil: no bound
}

// How many are remembered: more tokens than anybody has, and what a flood from
// everywhere may cost in memory, some megabytes a pool.
const (
	mostTokens    = 10_000
	mostAddresses = 50_000
)

func newPools(l Limits) pools {
	token := func(r limit.Rate) *limit.Pool { return limit.NewPool(r, mostTokens) }
	address := func(r limit.Rate) *limit.Pool { return limit.NewPool(r, mostAddresses) }
	p := pools{
		evaluate: token(l.Evaluate), events: token(l.Events), bytes: token(l.EventBytes), api: token(l.API),
		evaluateFrom: address(l.EvaluateAddress), eventsFrom: address(l.EventsAddress), bytesFrom: address(l.EventBytesAddress),
		unknown: address(l.Unknown), signIn: address(l.SignIn),
	}
	if l.EventsAtOnce > 0 {
		p.atOnce = make(chan struct{}, l.EventsAtOnce)
	}
	return p
}

// wait returns how long whoever asks would have to wait, 0 when it may come in.
// A token that is kept secret is one service and counts by itself; a client
// token is in every browser, so that each address counts too, or one of them
// would use up what all have.
func (s *server) wait(r *http.Request, at *route, p access.Principal, known bool, now time.Time) time.Duration {
	switch {
	case at.name == "sign-in":
		return s.pools.signIn.Take(s.address(r), 1, now)
	case at.name == "finish-sign-in":
		return s.pools.signIn.Take(s.address(r), 0, now) // those that fail are counted: offices share an address
	case !known:
		return s.pools.unknown.Take(s.address(r), 1, now)
	case at.streams():
		return 0 // the hub admits them
	}
	byToken, byAddress := s.pools.of(at.needs)
	wait := time.Duration(0)
	if p.Class == access.ClientSDK { // first: what an address is refused costs the others nothing
		wait = byAddress.Take(s.address(r), 1, now)
	}
	if wait == 0 {
		wait = byToken.Take(p.Token, 1, now)
	}
	if wait == 0 && at.brings() {
		wait = s.pools.bytes.Take(p.Token, 0, now) // what came before is paid for
		if p.Class == access.ClientSDK {
			wait = max(wait, s.pools.bytesFrom.Take(s.address(r), 0, now))
		}
	}
	return wait
}

func (p *pools) of(needs access.Permission) (byToken, byAddress *limit.Pool) {
	switch needs {
	case access.Evaluate, access.Sync:
		return p.evaluate, p.evaluateFrom
	case access.Send, access.Import:
		return p.events, p.eventsFrom
	case access.Public, access.Read, access.Write, access.Report, access.Decide, access.Manage:
	}
	return p.api, nil
}

func (s *server) address(r *http.Request) string {
	if len(s.Limits.Proxies) == 0 {
		return limit.Address(r.RemoteAddr, nil, nil)
	}
	return limit.Address(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), s.Limits.Proxies)
}

// secure reports whether the browser speaks TLS, to us or to a proxy of ours. An
// issuer sends browsers back to one address alone, which says it for all.
func (s *server) secure(r *http.Request) bool {
	return s.Issuer != nil && s.Issuer.Secure() || r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" && limit.Trusts(s.Limits.Proxies, limit.Peer(r.RemoteAddr))
}

// slowDown answers who comes too fast: 429 and when to come back, each at
// another time, in the shape of the protocol that is spoken.
func (s *server) slowDown(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	seconds := int(wait/time.Second) + 1
	w.Header().Set("Retry-After", strconv.Itoa(seconds+rand.IntN(seconds+1)))
	s.deny(w, r, errTooMany)
}

// metered lets events in: so many requests at once, whose bytes are counted as
// they come, since not everybody says how many there will be.
func (s *server) metered(w http.ResponseWriter, r *http.Request, p access.Principal, next http.Handler) {
	if s.pools.atOnce != nil {
		select {
		case s.pools.atOnce <- struct{}{}:
			defer func() { <-s.pools.atOnce }()
		default:
			s.deny(w, r, fmt.Errorf("%w: %d requests with events are under way", ingest.ErrBusy, cap(s.pools.atOnce)))
			return
		}
	}
	body := &counted{ReadCloser: r.Body}
	r.Body = body
	next.ServeHTTP(w, r)
	now := s.Now()
	s.pools.bytes.Owe(p.Token, body.n, now)
	if p.Class == access.ClientSDK {
		s.pools.bytesFrom.Owe(s.address(r), body.n, now)
	}
}

// counted is a body that knows how much of it was read.
type counted struct {
	io.ReadCloser
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n += int64(n)
	return n, err
}
