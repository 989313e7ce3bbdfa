package notify

import (
	"net/netip"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	const refused = "is an internal address"
	for address, want := range map[string]string{
		"93.184.216.34": "", "2606:2800:220:1:248:1893:25c8:1946": "", "64:ff9b::5db8:d822": "",
		"127.0.0.1": refused, "127.8.8.8": refused, "::1": refused, "0.0.0.0": refused, "::": refused,
		"10.0.0.1": refused, "172.16.0.1": refused, "172.31.255.255": refused, "192.168.1.1": refused, "fd12::1": refused,
		"169.254.1.1": refused, "fe80::1": refused, "fe80::1%eth0": refused, "100.64.0.1": refused,
		"192.0.2.1": refused, "198.18.0.1": refused, "224.0.0.1": refused, "255.255.255.255": refused, "240.0.0.1": refused, "0.1.2.3": refused,
		"::ffff:127.0.0.1": refused, "::ffff:10.0.0.1": refused, // IPv4 in IPv6's clothes
		"64:ff9b::7f00:1": refused, "64:ff9b::a00:1": refused, // 127.0.0.1 and 10.0.0.1 behind a translator
		"3fff::1": refused, "3fff:fff:ffff::1": refused, "5f00::1": refused, "4000::1": "", "5eff::1": "", "5f01::1": "",
		"::a00:1": refused, "::5db8:d822": refused, "::2": refused, // IPv4 as it was once written
		"::a9fe:a9fe": "credentials", "::a83f:8110": "credentials",
		"2002:7f00:1::1": refused, "2001:0:1::1": refused, "ff02::1": refused, "fec0::1": refused, "2001:db8::1": refused,
		"169.254.169.254": "credentials", "::ffff:169.254.169.254": "credentials", "fd00:ec2::254": "credentials",
		"168.63.129.16": "credentials", "100.100.100.200": "credentials", "169.254.170.2": "credentials",
		"64:ff9b::a83f:8110": "credentials", "64:ff9b::a9fe:a9fe": "credentials", // 168.63.129.16 and 169.254.169.254 behind a translator
	} {
		err := guard{}.check(netip.MustParseAddr(address))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", address, err, want)
		}
	}
}

// What is allowed may be sent to, also in the clear; nothing else may be that.
// No list opens the way to a machine's credentials.
func TestGuard_allowed(t *testing.T) {
	allow, err := ParseAllow("10.1.0.0/16, 127.0.0.1,::1 169.254.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string][2]bool{ // encrypted, in the clear
		"10.1.2.3": {true, true}, "127.0.0.1": {true, true}, "::ffff:10.1.2.3": {true, true}, "::1": {true, true},
		"10.2.0.1": {false, false}, "127.0.0.2": {false, false}, "93.184.216.34": {true, false},
		"169.254.1.1": {true, true}, "169.254.169.254": {false, false}, "::7f00:1": {false, false},
	} {
		addr := netip.MustParseAddr(address)
		got := [2]bool{guard{allow: allow}.check(addr) == nil, guard{allow: allow, only: true}.check(addr) == nil}
		if got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
	if _, err := ParseAllow("10.1.0.0/16,intranet"); err == nil || !strings.Contains(err.Error(), "intranet") {
		t.Errorf("a name is taken for an address: %v", err)
	}
	if g := (guard{}); g.control("tcp", "nonsense", nil) == nil {
		t.Error("an address that cannot be read is dialled")
	}
}
