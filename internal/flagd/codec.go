package flagd

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// codec reads and writes messages as JSON the way flagd does: fields without a
// value are written too, so that a client of a false flag sees "value":false.
type codec struct{ name string }

// Name implements connect.Codec.
func (c codec) Name() string { return c.name }

// Marshal implements connect.Codec.
func (codec) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("encoding %T: it is no message", v) // unreachable unless connect changes what it passes
	}
	return protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
}

// Unmarshal implements connect.Codec.
func (codec) Unmarshal(b []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("decoding %T: it is no message", v) // unreachable unless connect changes what it passes
	}
	if len(b) == 0 {
		return errors.New("the body is empty; write {} for a request without fields")
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, m)
}
