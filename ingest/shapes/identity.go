package shapes

import (
	"bytes"
	"encoding/json"
)

// identity is what an event that has no ID says, and of whom: another sending of
// it says the same. White space is no part of it.
func identity(unit string, raw json.RawMessage) string {
	var b bytes.Buffer
	b.WriteString(unit)
	b.WriteByte(0)
	if json.Compact(&b, raw) != nil {
		b.Write(raw) // unreachable: it was read as JSON
	}
	return b.String()
}
