package ingest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// field is one field of an event on the wire; sets of fields are sums.
type field uint32

const (
	fKind field = 1 << iota
	fID
	fFlag
	fVariant
	fUnit
	fRevision
	fRollout
	fStage
	fEpoch
	fEnrolled
	fReason
	fAt
	fAttributes
	fSynthetic
	fName
	fValue
	fUnits
	fService
	fVersion
	fEnvironment
	fLabels
	fSource
	fSDK
)

// wire is one event as it was sent: the fields of every kind.
type wire struct {
	has                                         field
	id                                          event.ID
	kind, flag, variant, rollout, stage, reason string
	name, service, version, environment, source string
	unit                                        Unit
	sdk                                         SDK
	units                                       []Unit
	revision                                    uint64
	epoch                                       int32
	enrolled, synthetic                         bool
	at                                          time.Time
	value                                       int64 // in Millionths
	attributes, labels                          map[string]string
}

// reader reads the events of one body, one after the other.
type reader struct {
	scanner
	index  int
	faults []Rejection // of the present event
	keys   []string    // of the present object of strings
}

// event reads the next value into w and returns what is wrong with it, field
// by field.
func (r *reader) event(w *wire) []Rejection {
	*w = wire{units: w.units[:0]}
	r.faults = nil
	if r.peek() != '{' {
		r.fault("", r.skip(), "is not an object", `send events such as {"kind": "exposure", …}`)
		return r.faults
	}
	r.object(func(key []byte) { r.member(w, key) })
	for i := range r.faults {
		r.faults[i].ID = textOf(w.id)
	}
	return r.faults
}

func textOf(id event.ID) string {
	if id == (event.ID{}) {
		return ""
	}
	return id.String()
}

// member reads one field of an event.
func (r *reader) member(w *wire, key []byte) {
	f, name := fieldOf(key), r.intern(key)
	if f == 0 {
		r.fault(excerpt([]byte(name)), r.skip(), "is not a field of an event", "remove it, or put it into attributes")
		return
	}
	if w.has&f != 0 {
		r.fault(name, r.skip(), "is given twice", "send it once")
		return
	}
	w.has |= f
	if text := w.text(f); text != nil {
		*text = r.intern(r.text(maxKey, name))
		return
	}
	r.other(w, f)
}

// text returns where a field that is a name is kept, nil for other fields.
func (w *wire) text(f field) *string {
	switch f {
	case fKind:
		return &w.kind
	case fFlag:
		return &w.flag
	case fVariant:
		return &w.variant
	case fRollout:
		return &w.rollout
	case fStage:
		return &w.stage
	case fReason:
		return &w.reason
	case fName:
		return &w.name
	case fService:
		return &w.service
	case fVersion:
		return &w.version
	case fEnvironment:
		return &w.environment
	case fSource:
		return &w.source
	}
	return nil
}

func (r *reader) other(w *wire, f field) {
	switch f {
	case fID:
		w.id = r.id()
	case fUnit:
		w.unit = r.unit()
	case fUnits:
		r.pairs("units", maxUnits, maxUnitID, func(k string, v []byte) { w.units = append(w.units, Unit{k, string(v)}) })
		slices.SortFunc(w.units, func(a, b Unit) int { return strings.Compare(a.Kind, b.Kind) })
	case fRevision:
		w.revision = uint64(r.integer("revision", math.MaxInt64))
	case fEpoch:
		w.epoch = int32(r.integer("epoch", math.MaxInt32))
	case fEnrolled:
		w.enrolled = r.bool("enrolled")
	case fSynthetic:
		w.synthetic = r.bool("synthetic")
	case fAt:
		w.at = r.time()
	case fValue:
		w.value = r.fixed()
	case fAttributes:
		w.attributes = r.dict("attributes")
	case fLabels:
		w.labels = r.dict("labels")
	case fSDK:
		w.sdk = r.sdk()
	}
}

func fieldOf(key []byte) field {
	switch string(key) {
	case "kind":
		return fKind
	case "id":
		return fID
	case "flag":
		return fFlag
	case "variant":
		return fVariant
	case "unit":
		return fUnit
	case "revision":
		return fRevision
	case "rollout":
		return fRollout
	case "stage":
		return fStage
	case "epoch":
		return fEpoch
	case "enrolled":
		return fEnrolled
	case "reason":
		return fReason
	case "at":
		return fAt
	case "attributes":
		return fAttributes
	case "synthetic":
		return fSynthetic
	case "name":
		return fName
	case "value":
		return fValue
	case "units":
		return fUnits
	case "service":
		return fService
	case "version":
		return fVersion
	case "environment":
		return fEnvironment
	case "labels":
		return fLabels
	case "sdk":
		return fSDK
	case "source":
		return fSource
	}
	return 0
}

// text reads a string of at most limit bytes; it is valid until the next one
// is read.
func (r *reader) text(limit int, path ...string) []byte {
	if r.peek() != '"' {
		r.fault(strings.Join(path, "."), r.skip(), "is not a string", "")
		return nil
	}
	text := r.string()
	if len(text) > limit {
		r.fault(strings.Join(path, "."), text, fmt.Sprintf("is longer than %d bytes", limit), "shorten it")
		return nil
	}
	return text
}

func (r *reader) id() event.ID {
	const fix = "make a UUID version 7 once and keep it on every retry"
	if r.peek() != '"' {
		r.fault("id", r.skip(), "is not a string", fix)
		return event.ID{}
	}
	text := r.string()
	id, ok := parseID(text)
	if !ok {
		r.fault("id", text, "is not a UUID", fix)
		return event.ID{}
	}
	if !isVersion7(id) {
		r.fault("id", text, "is not a UUID of version 7", fix)
	}
	return id
}

func (r *reader) unit() (u Unit) {
	r.pairs("unit", maxUnits, maxUnitID, func(k string, v []byte) {
		switch k {
		case "kind":
			u.Kind = r.intern(v)
		case "id":
			u.ID = string(v)
		default:
			r.fault("unit."+k, v, "is not a field of a unit", `send {"kind": "user", "id": "u-1"}`)
		}
	})
	return u
}

func (r *reader) dict(field string) map[string]string {
	var m map[string]string
	r.pairs(field, maxAttributes, maxAttribute, func(k string, v []byte) {
		if m == nil {
			m = make(map[string]string, 8)
		}
		m[k] = r.intern(v)
	})
	return m
}

// pairs reads an object of strings, with at most most members.
func (r *reader) pairs(field string, most, limit int, pair func(k string, v []byte)) {
	if r.peek() != '{' {
		r.fault(field, r.skip(), "is not an object of strings", "")
		return
	}
	r.keys = r.keys[:0]
	r.object(func(key []byte) {
		full := len(r.keys) == most
		if full || len(key) > maxKey || len(key) == 0 || r.known(key) {
			r.badKey(field, key, full, most)
			return
		}
		name := r.intern(key)
		r.keys = append(r.keys, name)
		pair(name, r.text(limit, field, name))
	})
}

// known reports whether the present object had the key before.
func (r *reader) known(key []byte) bool {
	for _, k := range r.keys {
		if k == string(key) {
			return true
		}
	}
	return false
}

// badKey says why a key cannot be taken, and skips its value.
func (r *reader) badKey(field string, key []byte, full bool, most int) {
	path := field + "." + excerpt(key)
	value := r.skip()
	switch {
	case full:
		r.fault(path, value, fmt.Sprintf("is one more than the %d that are allowed", most), "send fewer")
	case len(key) == 0:
		r.fault(path, value, "has an empty name", "name it")
	case len(key) > maxKey:
		r.fault(path, value, fmt.Sprintf("has a name longer than %d bytes", maxKey), "shorten it")
	default:
		r.fault(path, value, "is given twice", "send it once")
	}
}

func (r *reader) integer(field string, limit int64) int64 {
	text := r.skip()
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 || n > limit {
		r.fault(field, text, "is not a whole number of the range", fmt.Sprintf("send a number from 0 to %d", limit))
		return 0
	}
	return n
}

func (r *reader) bool(field string) bool {
	text := string(r.skip())
	if text != "true" && text != "false" {
		r.fault(field, []byte(text), "is neither true nor false", "")
	}
	return text == "true"
}

func (r *reader) time() time.Time {
	const fix = "send RFC 3339, such as 2026-11-21T09:00:00.250Z"
	if r.peek() != '"' {
		r.fault("at", r.skip(), "is not a string", fix)
		return time.Time{}
	}
	text := r.string()
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		r.fault("at", text, "is not a time", fix)
	}
	return at.UTC().Truncate(time.Millisecond)
}

// fixed reads a number and rounds it to millionths.
func (r *reader) fixed() int64 {
	const fix = "send a number between -9223372036854 and 9223372036854"
	if c := r.peek(); c != '-' && (c < '0' || c > '9') {
		r.fault("value", r.skip(), "is not a number", fix)
		return 0
	}
	text := r.number()
	v, err := strconv.ParseFloat(string(text), 64)
	scaled := math.Round(v * 1e6)
	if err != nil || math.Abs(scaled) >= 1<<63 {
		r.fault("value", text, "does not fit into 64 bits of millionths", fix)
		return 0
	}
	return int64(scaled)
}

// fault notes what is wrong with a field of the present event. The first few
// are enough to find the sender's mistake.
func (r *reader) fault(field string, value []byte, why, fix string) {
	const most = 8
	if len(r.faults) < most {
		r.faults = append(r.faults, Rejection{
			Index: r.index, Field: field, Value: excerpt(value), Reason: Malformed, Why: why, Fix: fix,
		})
	}
}
