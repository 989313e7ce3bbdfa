package flags

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// The statuses of OFREP answers. They are written out because a client that
// evaluates in-process should not link an HTTP server for three numbers.
const (
	statusOK          = 200
	statusBadRequest  = 400
	statusNotFound    = 404
	statusUnavailable = 503
)

// OFREP answers one flag in the shape of the OpenFeature Remote Evaluation
// Protocol 0.3 (open-feature/protocol, service/openapi.yaml): an HTTP status
// and a JSON body. The answer is counted.
func (t *Set) OFREP(key string, c *Context) (status int, body []byte) {
	return t.AppendOFREP(nil, key, c)
}

// AppendOFREP is OFREP into a buffer of the caller's.
func (t *Set) AppendOFREP(b []byte, key string, c *Context) (status int, body []byte) {
	f, ok := t.flags[key]
	if !ok {
		missing := Failure{Status: statusNotFound, Code: FlagNotFound, Details: "there is no flag with this key"}
		return missing.Status, append(b, missing.Body(key)...)
	}
	o, id := f.choose(t, c)
	o.tally.asked.Add(1)
	return o.status(), o.ofrep(t.environment).append(b, id)
}

// OFREPBulk answers all flags, by key, and gives the entity tag of the answer.
// The tag changes whenever the answer does, whatever made it change: a flag,
// or any attribute of the context. It hashes the digests of the answers that
// were chosen and the ids in them, which are shorter than the body; every
// replica gives the same. Each answer in it is counted as listed.
func (t *Set) OFREPBulk(c *Context) (body []byte, etag string) {
	return t.AppendOFREPBulk(make([]byte, 0, 32+320*len(t.keys)+len(t.tail)), c)
}

// AppendOFREPBulk is OFREPBulk into a buffer of the caller's.
func (t *Set) AppendOFREPBulk(b []byte, c *Context) (body []byte, etag string) {
	chosen := append(make([]byte, 0, 64*len(t.keys)+len(t.tail)), t.tail...)
	b = append(b, `{"flags":[`...)
	for i, key := range t.keys {
		if i > 0 {
			b = append(b, ',')
		}
		o, id := t.flags[key].choose(t, c)
		o.tally.listed.Add(1)
		w := o.ofrep(t.environment)
		b = w.append(b, id)
		chosen = append(chosen, w.sum[:]...)
		chosen = binary.AppendUvarint(chosen, uint64(len(id))) // so that no two lists of answers and ids read alike
		chosen = append(chosen, id...)
	}
	b = append(b, t.tail...)
	sum := sha256.Sum256(chosen)
	return b, `"` + hex.EncodeToString(sum[:16]) + `"`
}

// choose decides, and returns the only thing in an answer that depends on the
// context: the id that stock telemetry hooks report (feature_flag.context.id),
// which is the unit's where there is one, so that their exposures join on what
// was hashed.
func (f *compiled) choose(t *Set, c *Context) (o *outcome, id string) {
	unit := c.unitID(f.unit)
	if id = unit; id == "" {
		id = c.TargetingKey
	}
	return f.decide(t, c, unit, 0), id
}

// wire is an outcome as OFREP has it.
type wire struct {
	head []byte // up to the context's id
	sum  digest // of head
}

// digest is the part of a SHA-256 sum that tells answers apart.
type digest [16]byte

// ofrep returns the encoded outcome, which is made when it is first asked for:
// most outcomes never are, and who evaluates in-process asks for none. Whoever
// makes it at the same time makes the same.
func (o *outcome) ofrep(environment string) *wire {
	if w := o.wire.Load(); w != nil {
		return w
	}
	head := ofrepHead(environment, &o.result)
	sum := sha256.Sum256(head)
	w := &wire{head: head, sum: digest(sum[:16])}
	o.wire.Store(w)
	return w
}

// append writes the answer, and the id behind it.
func (w *wire) append(b []byte, id string) []byte {
	b = append(b, w.head...)
	if id != "" {
		b = append(b, `,"contextId":`...)
		b = appendText(b, id)
	}
	return append(b, "}}"...)
}

// ofrepHead encodes an answer up to the end of the metadata that all its
// contexts share. Metadata is flat, as the protocol wants it, and names no
// rule: browsers get the same answers, and a rule's name can tell what nobody
// outside should know. Explanations name it.
func ofrepHead(environment string, r *Result) []byte {
	b := ofrepAnswer(appendText([]byte(`{"key":`), r.Key), r)
	b = appendText(append(b, `,"metadata":{"flagSetId":`...), environment)
	b = appendField(b, "version", strconv.FormatUint(r.Revision, 10))
	b = strconv.AppendUint(append(b, `,"revision":`...), r.Revision, 10)
	b = appendField(b, "unit", r.Unit)
	b = strconv.AppendBool(append(b, `,"enrolled":`...), r.Enrolled)
	if r.Rollout != "" {
		b = appendField(b, "rollout", r.Rollout)
		b = appendField(b, "stage", r.Stage)
		b = strconv.AppendInt(append(b, `,"epoch":`...), int64(r.Epoch), 10)
	}
	if r.Shadow != "" {
		b = appendField(b, "shadow", r.Shadow)
	}
	if r.Unenrolled != "" {
		b = appendField(b, "unenrolled", string(r.Unenrolled))
	}
	switch r.Step {
	case AtArchived:
		b = append(b, `,"archived":true`...)
	case AtDisabled:
		if r.Variant != "" { // otherwise the reason says so
			b = append(b, `,"disabled":true`...)
		}
	case AtForced:
		b = append(b, `,"forced":true`...)
	}
	return appendMetadata(b, r.Metadata)
}

// ofrepAnswer encodes what the answer is. There is no value when the code
// decides, and no value or reason when there is a fault.
func ofrepAnswer(b []byte, r *Result) []byte {
	if r.Error != "" {
		return appendField(appendField(b, "errorCode", string(r.Error)), "errorDetails", r.details())
	}
	if r.Variant == "" {
		return appendField(b, "reason", string(r.Reason))
	}
	b = append(append(b, `,"value":`...), r.Value...)
	b = appendField(b, "reason", string(r.Reason.toldWithValue()))
	return appendField(b, "variant", r.Variant)
}

// details says what went wrong.
func (r *Result) details() string {
	switch {
	case r.Step == AtList:
		return "a list of units that the flag asks for is not there yet"
	case r.Error == General:
		return "the flag's targeting gives what is not a variant"
	}
	return "the flag's targeting cannot be evaluated for this context"
}

func (o *outcome) status() int {
	switch {
	case o.result.Step == AtList:
		return statusUnavailable
	case o.result.Error != "":
		return statusBadRequest
	}
	return statusOK
}

// appendMetadata writes the flag's own metadata. Its names are none of ours:
// see checkMetadata.
func appendMetadata(b []byte, m map[string]any) []byte {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		value, err := json.Marshal(m[name])
		if err != nil {
			continue // unreachable unless a caller in Go compiles what no document can hold
		}
		b = appendText(append(b, ','), name)
		b = append(append(b, ':'), value...)
	}
	return b
}

// toldWithValue is the reason that OFREP gives beside a value. Providers take
// DISABLED for an order to use the default in the code, as it is when flagd
// says it; but whoever disables a flag or rolls it back means the safe variant.
// It is the same for everybody, which is what STATIC says; the metadata tells
// the rest.
func (r Reason) toldWithValue() Reason {
	if r == Disabled {
		return Static
	}
	return r
}

func bulkTail(environment string, version uint64) []byte {
	b := appendText([]byte(`],"metadata":{"flagSetId":`), environment)
	b = appendField(b, "version", strconv.FormatUint(version, 10))
	return append(b, "}}"...)
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendText(b, value)
}

// appendText appends s as a JSON string. Plain ASCII, which ids are, is copied.
func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			quoted, _ := json.Marshal(s) // cannot fail: any string can be encoded
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// AppendStream adds to a bulk answer where its client hears of changes (ADR
// 0008). The address may hold a ticket that changes; the answer's tag is that
// of what stands before it. The address is a target without an origin, which
// is that of the request, whatever stands between client and server.
func AppendStream(answer []byte, target string) []byte {
	b := append(answer[:len(answer)-1], `,"eventStreams":[{"type":"sse","endpoint":{"requestUri":`...)
	b = appendText(b, target)
	return append(b, `},"inactivityDelaySec":120}]}`...)
}
