package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// What one request holds: five exposures for thirty metric events, as in the
// readout that DESIGN.md has a budget for.
const (
	requestEvents    = 1000
	requestExposures = 143
	units            = 1_000_000
)

// Templates of the events. The marks are as long as what replaces them, so
// that a body is made once and only patched after that: drawing JSON anew
// would cost more of the processors than is measured.
const (
	exposureText = `{"kind":"exposure","id":"iiiiiiii-iiii-7iii-8iii-iiiiiiiiiiii","flag":"shop.checkout","variant":"%s","unit":{"kind":"user","id":"u-uuuuuu"},"revision":%d,"enrolled":true,"reason":"SPLIT","at":"tttttttttttttttttttttttt","attributes":{"country":"DE"}}`
	metricText   = `{"kind":"metric","id":"iiiiiiii-iiii-7iii-8iii-iiiiiiiiiiii","name":"purchase","value":vvv.vv,"units":{"user":"u-uuuuuu"},"at":"tttttttttttttttttttttttt"}`
	timeForm     = "2006-01-02T15:04:05.000Z"
)

// numbers makes every event of this program another one.
var numbers atomic.Uint64

// body is a request that is sent again and again, each time with new events.
type body struct {
	b      []byte
	r      *rand.Rand
	places []place
}

// place is where the changing parts of one event stand.
type place struct{ id, unit, at, value int } // value: 0 for an exposure

func newBody(revision uint64, r *rand.Rand) *body {
	d := &body{r: r}
	for i := range requestEvents {
		text := metricText
		if i*requestExposures/requestEvents != (i+1)*requestExposures/requestEvents {
			text = fmt.Sprintf(exposureText, []string{"on1", "off"}[i%2], revision)
		}
		at := len(d.b)
		find := func(mark string) int { return at + bytes.Index([]byte(text), []byte(mark)) }
		p := place{id: find("iiiiiiii-"), unit: find("uuuuuu"), at: find("tttttttt")}
		if text == metricText {
			p.value = find("vvv.vv")
		}
		d.places = append(d.places, p)
		d.b = append(append(d.b, text...), '\n')
	}
	return d
}

// next returns the body with events that are new, of now.
func (d *body) next(now time.Time) []byte {
	at := now.UTC().AppendFormat(nil, timeForm)
	var id [16]byte
	ms := uint64(now.UnixMilli())
	first := numbers.Add(requestEvents) - requestEvents
	for i, p := range d.places {
		n := first + uint64(i)
		id = [16]byte{byte(ms >> 40), byte(ms >> 32), byte(ms >> 24), byte(ms >> 16), byte(ms >> 8), byte(ms), 0x70, 0, 0x80}
		for k := range 6 {
			id[15-k] = byte(n >> (8 * k))
		}
		text(d.b[p.id:], id)
		digits(d.b[p.unit:p.unit+6], d.r.Uint64N(units))
		copy(d.b[p.at:], at)
		if p.value > 0 {
			digits(d.b[p.value:p.value+3], 100+d.r.Uint64N(900))
			digits(d.b[p.value+4:p.value+6], d.r.Uint64N(100))
		}
	}
	return d.b
}

// text writes an ID as people write it.
func text(b []byte, id [16]byte) {
	for at, part := 0, 0; part < 5; part++ {
		size := []int{4, 2, 2, 2, 6}[part]
		hex.Encode(b, id[at:at+size])
		b, at = b[min(2*size+1, len(b)):], at+size
	}
}

func digits(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}
