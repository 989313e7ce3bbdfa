package limit

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/quick"
	"time"
)

var start = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	for s, want := range map[string]Rate{
		"100/s": {100, time.Second}, "10/m": {10, time.Minute}, "8MiB/s": {8 << 20, time.Second}, "3KiB/h": {3 << 10, time.Hour}, "none": {},
	} {
		got, err := Parse(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("%s: got %+v (%s), %v", s, got, got, err)
		}
	}
	for _, s := range []string{"", "100", "/s", "100/", "100/d", "-1/s", "0/s", "1.5/s", "99999999999/s", "MiB/s", "8MB/s"} {
		if r, err := Parse(s); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: got %v, %v", s, r, err)
		}
	}
}

func TestPool(t *testing.T) {
	p := NewPool(Rate{10, time.Second}, 100)
	for i := range 10 {
		if wait := p.Take("a", 1, start); wait != 0 {
			t.Fatalf("the bucket holds 10; number %d waits %v", i+1, wait)
		}
	}
	if wait := p.Take("a", 1, start); wait != 100*time.Millisecond {
		t.Errorf("an empty bucket: got %v, want the time until one is back", wait)
	}
	if wait := p.Take("b", 10, start); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	if wait := p.Take("a", 1, start.Add(100*time.Millisecond)); wait != 0 {
		t.Errorf("after the wait: still %v", wait)
	}
	if wait := p.Take("c", 25, start); wait != 0 {
		t.Errorf("more than a bucket, from a full one: got %v", wait)
	}
	if wait := p.Take("c", 25, start); wait != time.Second {
		t.Errorf("more than a bucket, from an empty one: got %v, want until it is full", wait)
	}
	if wait := p.Take("a", 1, start.Add(-time.Hour)); wait <= 0 || wait > 2*time.Second {
		t.Errorf("after a clock went back: got %v; it fills no bucket, and empties none for an hour", wait)
	}
	var none *Pool
	none.Owe("a", 1<<40, start)
	if none.Take("a", 1<<40, start) != 0 || NewPool(Rate{}, 10) != nil {
		t.Error("without a rate there is no limit")
	}
}

func TestPool_owe(t *testing.T) {
	p := NewPool(Rate{100, time.Second}, 100)
	p.Owe("a", 150, start)
	if wait := p.Take("a", 1, start); wait != 510*time.Millisecond {
		t.Errorf("after 50 too many: got %v, want until they and one are back", wait)
	}
	p.Owe("a", 1<<40, start)
	if wait := p.Take("a", 1, start); wait > 1010*time.Millisecond {
		t.Errorf("a debt lasts %v; it is never more than a bucket", wait)
	}
}

// TestPool_neverMoreThanTheRate: whatever comes and whenever, in any stretch of
// time no more is taken than a bucket and what came back meanwhile.
func TestPool_neverMoreThanTheRate(t *testing.T) {
	check := func(gaps []uint16, sizes []uint8) bool {
		p := NewPool(Rate{50, time.Second}, 10)
		now, taken := start, 0.0
		for i := range min(len(gaps), len(sizes)) {
			now = now.Add(time.Duration(gaps[i]) * time.Microsecond * 10)
			n := int64(sizes[i] % 50)
			if p.Take("a", n, now) == 0 {
				taken += float64(n)
			}
		}
		return taken <= 50+50*now.Sub(start).Seconds()+1e-6
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
}

func TestPool_boundedMemory(t *testing.T) {
	p := NewPool(Rate{1, time.Hour}, 1600)
	for i := range 100_000 {
		p.Take(fmt.Sprint(i), 1, start)
	}
	if n := p.Keys(); n > 2*1600 {
		t.Errorf("%d keys are remembered", n)
	}
	p.Take("steady", 1, start)
	for i := range 100_000 {
		if p.Take("steady", 1, start) == 0 {
			t.Fatalf("whoever keeps coming is forgotten after %d others", i)
		}
		p.Take(fmt.Sprint(i), 1, start)
	}
}

func TestAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		trusted    []netip.Prefix
		want       string
	}{
		{"nobody is trusted", "10.1.2.3:4567", []string{"1.2.3.4"}, nil, "10.1.2.3"},
		{"the peer is no proxy", "9.9.9.9:1", []string{"1.2.3.4"}, proxies, "9.9.9.9"},
		{"one proxy", "10.1.2.3:1", []string{"1.2.3.4"}, proxies, "1.2.3.4"},
		{"two proxies", "10.1.2.3:1", []string{"1.2.3.4, 10.9.9.9"}, proxies, "1.2.3.4"},
		{"two headers", "10.1.2.3:1", []string{"6.6.6.6", "1.2.3.4"}, proxies, "1.2.3.4"},
		{"what the client wrote", "10.1.2.3:1", []string{"127.0.0.1, 1.2.3.4"}, proxies, "1.2.3.4"},
		{"nonsense", "10.1.2.3:1", []string{"1.2.3.4, <script>"}, proxies, "10.1.2.3"},
		{"no header", "10.1.2.3:1", nil, proxies, "10.1.2.3"},
		{"all are proxies", "10.1.2.3:1", []string{"10.2.2.2"}, proxies, "10.2.2.2"},
		{"IPv6", "[2001:db8:1:2:3:4:5:6]:1", nil, nil, "2001:db8:1:2::"},
		{"IPv6 with a zone", "[fe80::1%eth0]:1", nil, nil, "fe80::"},
		{"IPv4 in IPv6", "[::ffff:1.2.3.4]:1", nil, nil, "1.2.3.4"},
		{"a socket", "@", nil, nil, ""},
	} {
		if got := Address(c.peer, c.forwarded, c.trusted); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	p := NewPool(Rate{1 << 30, time.Second}, 10_000)
	for b.Loop() {
		p.Take("0123456789ab", 1, start)
	}
}

func BenchmarkAddress(b *testing.B) {
	for b.Loop() {
		Address("10.1.2.3:45678", nil, nil)
	}
}

// TestPool_oweMoreThanTimeCanSay: a debt of centuries is a debt, and does not
// turn into credit where the number of its nanoseconds ends.
func TestPool_oweMoreThanTimeCanSay(t *testing.T) {
	p := NewPool(Rate{N: 1, Per: time.Hour}, 10)
	now := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	p.Owe("a", 64<<20, now)
	if wait := p.Take("a", 0, now); wait != time.Hour {
		t.Errorf("after 64 MiB at a byte an hour: wait %v", wait)
	}
	if wait := p.Take("b", 1<<62, now); wait != 0 {
		t.Errorf("more than a bucket, of a full one: wait %v", wait)
	}
}
