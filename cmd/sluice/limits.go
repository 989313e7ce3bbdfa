package main

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/sluice-hq/sluice/internal/server"
)

// limitFlags say how much may come through the doors, and whose word counts
// for where it comes from.
type limitFlags struct {
	Rate         map[string]string `help:"How much may come, by name: evaluate, events and event-bytes of one token (50000/s, 20000/s, 256MiB/s), the same with -address of one address with client tokens (1000/s, 200/s, 8MiB/s), api (2000/s) of one token, unknown (200/s) and sign-in (10/m) of one address; none lifts a limit." placeholder:"NAME=RATE" env:"SLUICE_RATE"`
	EventsAtOnce int               `help:"Requests with events that may be under way at once; 0: any number." default:"512" env:"SLUICE_EVENTS_AT_ONCE"`
	TrustProxy   []string          `help:"Networks of proxies (10.0.0.0/8) whose X-Forwarded-For and X-Forwarded-Proto are believed; default: nobody's." env:"SLUICE_TRUST_PROXY"`
}

// limits reads the flags, with every fault at once.
func (f limitFlags) limits() (server.Limits, error) {
	l := server.StandardLimits()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.Rate)) {
		errs = append(errs, l.Set(name, f.Rate[name]))
	}
	if l.EventsAtOnce = f.EventsAtOnce; f.EventsAtOnce < 0 {
		errs = append(errs, fmt.Errorf("--events-at-once %d is less than none; write 0 for any number", f.EventsAtOnce))
	}
	for _, text := range f.TrustProxy {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			err = fmt.Errorf("--trust-proxy %q is not a network; write one such as 10.0.0.0/8, or 10.1.2.3/32 for one address", text)
		}
		l.Proxies = append(l.Proxies, p.Masked())
		errs = append(errs, err)
	}
	return l, errors.Join(errs...)
}
