package flags

import (
	"strings"
	"time"
)

// Context is what is known of whoever asks. Attribute values are what
// encoding/json makes of JSON: bool, float64, string, []any, map[string]any.
type Context struct {
	TargetingKey string // "" when there is none
	Attributes   map[string]any
	Now          time.Time // what imported rules see as $flagd.timestamp; zero: they see none
}

// TargetingKey is the name under which conditions see Context.TargetingKey.
const TargetingKey = "targetingKey"

// unitID returns the id of the context's unit of that kind: the attribute of
// that name, and for users the targeting key when there is no such attribute.
// It is "" when that is not a non-empty string. Null is absent.
func (c *Context) unitID(kind string) string {
	if v := c.Attributes[kind]; v != nil {
		id, _ := v.(string)
		return id
	}
	if kind == DefaultUnit {
		return c.TargetingKey
	}
	return ""
}

// attribute returns the value of an attribute: one of that very name first,
// then, when the name has dots, the one that a path leads to; nil when there
// is none, as when it is null.
func (c *Context) attribute(name string, nested bool) any {
	v, ok := c.Attributes[name]
	if ok || !nested {
		return v
	}
	in := c.Attributes
	for {
		head, rest, more := strings.Cut(name, ".")
		v, ok := in[head]
		if !ok || !more {
			return v
		}
		if in, ok = v.(map[string]any); !ok {
			return nil
		}
		name = rest
	}
}
