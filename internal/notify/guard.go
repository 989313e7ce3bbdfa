package notify

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/sluice-hq/sluice/event"
)

// Allow lists the internal addresses that may be sent to although they are
// internal. The zero Allow is none.
type Allow []netip.Prefix

// ParseAllow reads networks and single addresses: "10.1.0.0/16,127.0.0.1".
func ParseAllow(text string) (list Allow, err error) {
	var faults event.Invalids
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(part)
		if a, single := netip.ParseAddr(part); single == nil {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil {
			faults.Add("allow", part, "is not an address or a network", "write one such as 10.1.0.0/16 or 127.0.0.1")
			continue
		}
		list = append(list, p.Masked())
	}
	return list, faults.Err()
}

func (a Allow) has(addr netip.Addr) bool {
	return slices.ContainsFunc(a, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// guard looks at an address after its name was resolved and before it is
// dialled, which is the one moment at which a name cannot lead elsewhere any
// more. Every connection passes it.
type guard struct {
	allow Allow
	only  bool // nothing but what is allowed: for what is sent in the clear
}

// control is net.Dialer's.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading the address %s: %w", address, err) // unreachable unless the dialer changes what it passes
	}
	return g.check(at.Addr())
}

func (g guard) check(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	allowed := g.allow.has(addr)
	reached, _ := embedded(addr)
	switch {
	case slices.Contains(metadata, reached):
		return fmt.Errorf("%s gives out the credentials of the machine, and is never sent to", addr)
	case !allowed && internal(addr):
		return fmt.Errorf("%s is an internal address; to send there, start the service with --webhook-allow %s", addr, addr)
	case !allowed && g.only:
		return fmt.Errorf("%s would be sent to in the clear; write https:// in the address", addr)
	}
	return nil
}

// metadata are the addresses at which clouds give a machine its credentials:
// AWS, Google, Azure and others; AWS over IPv6; AWS for containers; Alibaba;
// Azure's host; Oracle.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("169.254.170.2"),
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
}

// internal reports whether an address is not one of the public Internet.
func internal(addr netip.Addr) bool {
	if v4, ok := translated(addr); ok {
		addr = v4
	}
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() ||
		!addr.IsGlobalUnicast() || slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// nat64 is the prefix under which a gateway reaches IPv4 (RFC 6052), compatible
// the one under which hosts once wrote it (RFC 4291, 2.5.5.1), which nobody routes
// any more and a tunnel still may.
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	compatible = netip.MustParsePrefix("::/96")
)

// embedded returns the IPv4 address that an address holds and leads to.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !compatible.Contains(addr) {
		return translated(addr)
	}
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:])), true
}

// translated returns the IPv4 address that a gateway would send to.
func translated(addr netip.Addr) (netip.Addr, bool) {
	if !nat64.Contains(addr) {
		return addr, false
	}
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:])), true
}

// special are networks that are not for the public, beside those that netip
// knows by name: IANA's registries of special-purpose addresses.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by a carrier's customers
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved
	netip.MustParsePrefix("::/96"),           // IPv4 as it was once written, loopback and no address
	netip.MustParsePrefix("64:ff9b:1::/48"),  // translated, for local use
	netip.MustParsePrefix("100::/64"),        // discarded
	netip.MustParsePrefix("2001::/32"),       // Teredo: holds an IPv4 address
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4: holds an IPv4 address
	netip.MustParsePrefix("3fff::/20"),       // documentation
	netip.MustParsePrefix("5f00::/16"),       // segments of a provider's routes
	netip.MustParsePrefix("fec0::/10"),       // site-local, as it was
}
