package otlp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The messages in JSON, as the protocol maps them: numbers of 64 bits are text,
// and unknown fields are passed over.
type (
	logRecord struct {
		Time       number  `json:"timeUnixNano"`
		Observed   number  `json:"observedTimeUnixNano"`
		Event      string  `json:"eventName"`
		Trace      string  `json:"traceId"`
		Span       string  `json:"spanId"`
		Attributes scalars `json:"attributes"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value struct {
			String *string  `json:"stringValue"`
			Bool   *bool    `json:"boolValue"`
			Int    *integer `json:"intValue"`
			Double *double  `json:"doubleValue"`
		} `json:"value"`
	}
)

// number is an unsigned number, as text or as a number.
type number uint64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) (err error) {
	v, err := strconv.ParseUint(string(unquoted(b)), 10, 64)
	*n = number(v)
	return err
}

// integer is a signed one.
type integer int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *integer) UnmarshalJSON(b []byte) (err error) {
	v, err := strconv.ParseInt(string(unquoted(b)), 10, 64)
	*n = integer(v)
	return err
}

// double is a number with a fraction, or the text of one that is none, as it was
// written.
type double string

// UnmarshalJSON implements json.Unmarshaler.
func (d *double) UnmarshalJSON(b []byte) error {
	*d = double(unquoted(b))
	return nil
}

func unquoted(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' {
		return b[1 : len(b)-1]
	}
	return b
}

// scalars are the attributes of a record that are text, numbers and truths.
type scalars map[string]string

// UnmarshalJSON implements json.Unmarshaler. It holds one attribute at a time.
func (s *scalars) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	return elements(d, nil, func() error {
		var a keyValue
		if err := d.Decode(&a); err != nil {
			return err
		}
		if text, ok := a.scalar(); ok {
			if *s == nil {
				*s = scalars{}
			}
			(*s)[a.Key] = text // names that are repeated are against the protocol; the last one counts
		}
		return nil
	})
}

func (a *keyValue) scalar() (text string, ok bool) {
	switch v := &a.Value; {
	case v.String != nil:
		return *v.String, true
	case v.Bool != nil:
		return strconv.FormatBool(*v.Bool), true
	case v.Int != nil:
		return strconv.FormatInt(int64(*v.Int), 10), true
	case v.Double != nil:
		return string(*v.Double), true
	}
	return "", false
}

// errShape says that a list or an object is something else.
var errShape = errors.New("not of the shape")

// readJSON walks the body and holds one record at a time beside those that it has
// read: an empty message is three bytes of a body and hundreds in memory.
func readJSON(body []byte) (records []Record, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	many := false
	err = members(d, []string{"resourceLogs", "scopeLogs", "logRecords"}, func() error {
		if many = len(records) == MaxRecords; many {
			return tooMany()
		}
		var l logRecord
		err := d.Decode(&l)
		records = append(records, l.record())
		return err
	})
	if err == nil && ended(d) {
		return records, nil
	}
	if many {
		return nil, err
	}
	// What the decoder says repeats values, which are for nobody but their sender.
	return nil, invalid(fmt.Sprintf("is not an ExportLogsServiceRequest in JSON, as its byte %d shows", d.InputOffset()),
		"send what Content-Type says: application/x-protobuf or application/json")
}

// ended reports whether nothing follows what was read.
func ended(d *json.Decoder) bool {
	_, err := d.Token()
	return err == io.EOF
}

// members reads an object, of which the list of the first name counts alone, and
// that list's elements likewise by the names behind it; leaf reads what none is
// left for.
func members(d *json.Decoder, names []string, leaf func() error) error {
	if len(names) == 0 {
		return leaf()
	}
	return between(d, '{', func() error {
		name, err := d.Token()
		switch {
		case err != nil:
			return err
		case name == names[0]:
			return elements(d, names[1:], leaf)
		}
		var other json.RawMessage
		return d.Decode(&other)
	})
}

// elements reads a list, each of whose elements is as members says.
func elements(d *json.Decoder, names []string, leaf func() error) error {
	return between(d, '[', func() error { return members(d, names, leaf) })
}

// between reads what stands between open and its counterpart, or null.
func between(d *json.Decoder, open json.Delim, each func() error) error {
	first, err := d.Token()
	if err != nil || first == nil {
		return err
	}
	if first != open {
		return errShape
	}
	for d.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func (l *logRecord) record() Record {
	r := Record{Event: l.Event, Trace: l.Trace, Span: l.Span, Attributes: l.Attributes}
	r.settle(uint64(l.Time), uint64(l.Observed))
	return r
}
