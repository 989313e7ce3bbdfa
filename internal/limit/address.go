package limit

import (
	"net/netip"
	"slices"
	"strings"
)

// Address returns whom a request comes from: the peer of the connection, or,
// when that is a trusted proxy, the last address of X-Forwarded-For that is
// none. Addresses further left are whatever the client wrote. An IPv6 address
// stands for its network of 2^64, which is what one client is given; "" stands
// for all who cannot be told apart.
func Address(peer string, forwarded []string, trusted []netip.Prefix) string {
	if host, ok := plain(peer); ok && len(trusted) == 0 {
		return host
	}
	found := parse(peer)
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !Trusts(trusted, found) {
			break
		}
		next := parse(strings.TrimSpace(hop))
		if !next.IsValid() {
			break // what a proxy of ours cannot have written
		}
		found = next
	}
	return network(found)
}

// plain cuts the port off an IPv4 address as net/http writes it, which is what
// nearly all are, without parsing it.
func plain(peer string) (host string, ok bool) {
	host, _, ok = strings.Cut(peer, ":")
	return host, ok && host != "" && host[0] != '['
}

// Trusts reports whether an address is that of a trusted proxy.
func Trusts(trusted []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Peer reads the address of a connection's other end, "10.1.2.3:4567".
func Peer(remote string) netip.Addr { return parse(remote) }

func parse(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, _ := netip.ParseAddr(s) // else the zero Addr, which no prefix contains
	return a.Unmap().WithZone("")
}

func network(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	if a.Is6() {
		p, _ := a.Prefix(64) // cannot fail: it has 128 bits
		a = p.Addr()
	}
	return a.String()
}
