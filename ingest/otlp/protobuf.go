package otlp

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
)

// Numbers of the fields that are read, by message.
const (
	requestResources = 1 // ExportLogsServiceRequest
	resourceScopes   = 2 // ResourceLogs
	scopeRecords     = 2 // ScopeLogs

	recordTime       = 1 // LogRecord
	recordAttribute  = 6
	recordTrace      = 9
	recordSpan       = 10
	recordObserved   = 11
	recordEvent      = 12
	attributeKey     = 1 // KeyValue
	attributeValue   = 2
	valueString      = 1 // AnyValue
	valueBool        = 2
	valueInt         = 3
	valueDouble      = 4
	responsePartial  = 1 // ExportLogsServiceResponse
	partialRejected  = 1 // ExportLogsPartialSuccess
	partialMessage   = 2
	statusMessage    = 2 // google.rpc.Status
	typeVarint       = 0 // wire types
	typeFixed64      = 1
	typeBytes        = 2
	typeFixed32      = 5
	fieldAndTypeBits = 3
)

var errWire = errors.New("not protobuf")

// field is one field of a message: a number, or bytes.
type field struct {
	number int
	value  uint64
	bytes  []byte
}

// each calls f with every field of a message, in order.
func each(b []byte, f func(field) error) error {
	for len(b) > 0 {
		x, rest, err := next(b)
		if err == nil {
			err = f(x)
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// next reads the first field of b and returns what follows it.
func next(b []byte) (x field, rest []byte, err error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>fieldAndTypeBits == 0 || tag>>fieldAndTypeBits > math.MaxInt32 {
		return x, nil, errWire
	}
	x.number, b = int(tag>>fieldAndTypeBits), b[n:]
	switch tag & (1<<fieldAndTypeBits - 1) {
	case typeVarint:
		if x.value, n = binary.Uvarint(b); n > 0 {
			return x, b[n:], nil
		}
	case typeFixed64:
		if len(b) >= 8 {
			x.value = binary.LittleEndian.Uint64(b)
			return x, b[8:], nil
		}
	case typeFixed32:
		if len(b) >= 4 {
			return x, b[4:], nil
		}
	case typeBytes:
		size, n := binary.Uvarint(b)
		if n > 0 && size <= uint64(len(b)-n) {
			x.bytes = b[n : n+int(size)]
			return x, b[n+int(size):], nil
		}
	}
	return x, nil, errWire // cut off, or a group, which these messages never have
}

func readProtobuf(body []byte) ([]Record, error) {
	var records []Record
	all := within(requestResources, within(resourceScopes, within(scopeRecords, func(b []byte) error {
		if len(records) == MaxRecords {
			return tooMany()
		}
		r, err := record(b)
		records = append(records, r)
		return err
	})))
	err := all(body)
	if errors.Is(err, errWire) {
		return nil, invalid("is not an ExportLogsServiceRequest in protobuf", "send what Content-Type says: application/x-protobuf or application/json")
	}
	return records, err
}

// within returns what reads a message and gives the messages in one of its
// fields to into.
func within(number int, into func([]byte) error) func([]byte) error {
	return func(b []byte) error {
		return each(b, func(x field) error {
			if x.number != number {
				return nil
			}
			return into(x.bytes)
		})
	}
}

func record(b []byte) (r Record, err error) {
	var happened, observed uint64
	err = each(b, func(x field) error {
		switch x.number {
		case recordTime:
			happened = x.value
		case recordObserved:
			observed = x.value
		case recordTrace:
			r.Trace = hex.EncodeToString(x.bytes)
		case recordSpan:
			r.Span = hex.EncodeToString(x.bytes)
		case recordEvent:
			r.Event = string(x.bytes)
		case recordAttribute:
			return r.attribute(x.bytes)
		}
		return nil
	})
	r.settle(happened, observed)
	return r, err
}

// attribute reads a KeyValue.
func (r *Record) attribute(b []byte) error {
	var name, text string
	scalar := false
	err := each(b, func(x field) (err error) {
		switch x.number {
		case attributeKey:
			name = string(x.bytes)
		case attributeValue:
			text, scalar, err = scalarOf(x.bytes)
		}
		return err
	})
	if scalar {
		r.set(name, text)
	}
	return err
}

// scalarOf returns an AnyValue as text, if it is text, a number or a truth.
func scalarOf(b []byte) (text string, ok bool, err error) {
	err = each(b, func(x field) error {
		ok = true
		switch x.number {
		case valueString:
			text = string(x.bytes)
		case valueBool:
			text = strconv.FormatBool(x.value != 0)
		case valueInt:
			text = strconv.FormatInt(int64(x.value), 10)
		case valueDouble:
			text = strconv.FormatFloat(math.Float64frombits(x.value), 'g', -1, 64)
		default:
			ok = false
		}
		return nil
	})
	return text, ok, err
}
