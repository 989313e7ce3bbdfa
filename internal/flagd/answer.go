package flagd

import (
	"encoding/json"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/sluice-hq/sluice/flags"
)

// answer is what OFREP answers for one flag.
type answer struct {
	Key      string          `json:"key"`
	Value    json.RawMessage `json:"value"` // nil: whoever asks uses the default in its code
	Reason   string          `json:"reason"`
	Variant  string          `json:"variant"`
	Metadata *metadata       `json:"metadata"`
	Error    flags.ErrorCode `json:"errorCode"`
}

// metadata is read from JSON straight into the message it becomes.
type metadata structpb.Struct

// UnmarshalJSON implements json.Unmarshaler.
func (m *metadata) UnmarshalJSON(b []byte) error {
	return protojson.Unmarshal(b, (*structpb.Struct)(m))
}

// message returns the metadata as fields of messages hold it, empty and not
// absent when there is none.
func (m *metadata) message() protoreflect.Value {
	if m == nil {
		m = new(metadata)
	}
	return protoreflect.ValueOfMessage((*structpb.Struct)(m).ProtoReflect())
}

// resolve writes the answer into the response of a Resolve method. The fields
// have the same names in all versions; where variant is optional, value is too,
// and an answer without a value can be given.
func (a answer) resolve(response protoreflect.Message) error {
	fields := response.Descriptor().Fields()
	if a.Error != "" {
		return failed(a.Error)
	}
	if a.Value == nil && !fields.ByName("variant").HasPresence() {
		return failed(flags.FlagNotFound)
	}
	if a.Value != nil {
		field := fields.ByName("value")
		v, ok := typed(field.Kind(), a.Value)
		if !ok {
			return mismatch()
		}
		response.Set(field, v)
	}
	a.describe(response)
	return nil
}

// anyFlag writes the answer into a flag of ResolveAll, where the type of the
// value chooses the field.
func (a answer) anyFlag(flag protoreflect.Message) {
	name, kind := protoreflect.Name("double_value"), protoreflect.DoubleKind
	switch a.Value[0] {
	case '{':
		name, kind = "object_value", protoreflect.MessageKind
	case '"':
		name, kind = "string_value", protoreflect.StringKind
	case 't', 'f':
		name, kind = "bool_value", protoreflect.BoolKind
	}
	if v, ok := typed(kind, a.Value); ok {
		flag.Set(flag.Descriptor().Fields().ByName(name), v)
	}
	a.describe(flag)
}

// describe sets what says how the value came about. A flag of schema.v1 has no
// metadata.
func (a answer) describe(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	m.Set(fields.ByName("reason"), protoreflect.ValueOfString(a.Reason))
	if a.Variant != "" {
		m.Set(fields.ByName("variant"), protoreflect.ValueOfString(a.Variant))
	}
	if field := fields.ByName("metadata"); field != nil {
		m.Set(field, a.Metadata.message())
	}
}

// typed reads a JSON value as the type of a field, and says whether it is of
// that type.
func typed(kind protoreflect.Kind, value json.RawMessage) (v protoreflect.Value, ok bool) {
	switch kind {
	case protoreflect.BoolKind:
		return decode(value, protoreflect.ValueOfBool)
	case protoreflect.StringKind:
		return decode(value, protoreflect.ValueOfString)
	case protoreflect.DoubleKind:
		return decode(value, protoreflect.ValueOfFloat64)
	case protoreflect.Int64Kind:
		n, ok := integer(string(value))
		return protoreflect.ValueOfInt64(n), ok
	case protoreflect.MessageKind:
		var object structpb.Struct
		err := protojson.Unmarshal(value, &object)
		return protoreflect.ValueOfMessage(object.ProtoReflect()), err == nil
	}
	return v, false // unreachable unless flagd gives a value another type
}

func decode[T any](value json.RawMessage, wrap func(T) protoreflect.Value) (protoreflect.Value, bool) {
	var v T
	err := json.Unmarshal(value, &v)
	return wrap(v), err == nil
}

// integer reads a JSON number that has no fraction: 42 and 4.2e1, not 4.2.
func integer(number string) (int64, bool) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f != math.Trunc(f) || f < math.MinInt64 || f >= math.MaxInt64 {
		return 0, false
	}
	return int64(f), true
}
