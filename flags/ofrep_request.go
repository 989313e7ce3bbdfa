package flags

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Limits of a context. The server limits its bytes.
const (
	maxAttributes = 256
	maxDepth      = 16 // of objects and lists inside each other
)

// Failure is an answer of OFREP that is not an evaluation.
type Failure struct {
	Status  int // of HTTP
	Code    ErrorCode
	Details string
}

// Error implements error.
func (f *Failure) Error() string { return string(f.Code) + ": " + f.Details }

// Body returns the JSON body; key is empty in an answer to a bulk request.
func (f *Failure) Body(key string) []byte {
	b, _ := json.Marshal(struct { // cannot fail: three strings
		Key     string    `json:"key,omitempty"`
		Code    ErrorCode `json:"errorCode"`
		Details string    `json:"errorDetails,omitempty"`
	}{key, f.Code, f.Details})
	return b
}

// ParseContext reads the body of an OFREP request. An empty body, a body
// without a context and a context without a targeting key are accepted, as
// flagd and GO Feature Flag do: a unit without an id is not enrolled.
func ParseContext(body []byte) (Context, *Failure) {
	if len(bytes.TrimSpace(body)) == 0 {
		return Context{}, nil
	}
	if attributes, ok := plainContext(body); ok {
		return NewContext(attributes)
	}
	var request any
	if err := json.Unmarshal(body, &request); err != nil {
		return Context{}, refused(ParseError, "the body is not JSON: "+err.Error())
	}
	object, ok := request.(map[string]any)
	if !ok {
		return Context{}, refused(ParseError, `the body is not an object; write {"context": {"targetingKey": "…"}}`)
	}
	value, ok := object["context"]
	if !ok || value == nil {
		return Context{}, nil
	}
	attributes, ok := value.(map[string]any)
	if !ok {
		return Context{}, refused(InvalidContext, "the context is not an object")
	}
	return NewContext(attributes)
}

// NewContext makes a context of attributes, of which targetingKey is one and is
// taken out. It refuses what is larger or deeper than a context may be.
func NewContext(attributes map[string]any) (Context, *Failure) {
	c := Context{Attributes: attributes}
	if key, ok := attributes[TargetingKey]; ok {
		if c.TargetingKey, ok = key.(string); !ok && key != nil {
			return Context{}, refused(InvalidContext, "targetingKey is not a string")
		}
		delete(attributes, TargetingKey)
	}
	if len(attributes) > maxAttributes {
		return Context{}, refused(InvalidContext, fmt.Sprintf("the context has %d attributes; %d are allowed", len(attributes), maxAttributes))
	}
	if deep(attributes, maxDepth) {
		return Context{}, refused(InvalidContext, fmt.Sprintf("the context is nested deeper than %d", maxDepth))
	}
	return c, nil
}

func refused(code ErrorCode, details string) *Failure {
	return &Failure{Status: statusBadRequest, Code: code, Details: details}
}

// deep reports whether v has more levels of objects and lists than left.
func deep(v any, left int) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			if left == 0 || deep(child, left-1) {
				return true
			}
		}
	case []any:
		for _, child := range v {
			if left == 0 || deep(child, left-1) {
				return true
			}
		}
	}
	return false
}

// NoneMatch reports whether an If-None-Match header names the entity tag, so
// that the answer is 304: a list, weak tags and * are understood (RFC 9110,
// section 13.1.2, which compares weakly).
func NoneMatch(header, etag string) bool {
	if strings.TrimSpace(header) == "*" {
		return etag != ""
	}
	etag = strings.TrimPrefix(etag, "W/")
	for _, tag := range strings.Split(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == etag && etag != "" {
			return true
		}
	}
	return false
}
