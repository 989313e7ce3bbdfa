// Package ports finds ports of this machine for programs that tests and benches
// start on an address that is known before, or again on the one that they had.
// It holds no port: whoever is quicker has it.
//
//	port, err := ports.Free() // then: serve --listen 127.0.0.1:port
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are looked for from first on, below last: systems give the ports behind
// it to the own ends of connections. One of those may be taken by any of them
// while its program is down, and whoever keeps trying to connect to it may even
// be given it, and reach itself.
const (
	first = 10_000
	last  = 32_000
	tries = 100
)

// Free returns a port on which nobody listens on loopback.
func Free() (int, error) {
	var faults []error
	for range tries {
		port := first + rand.IntN(last-first)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		faults = append(faults, err)
	}
	return 0, fmt.Errorf("looking for a free port: %w", errors.Join(faults...))
}
