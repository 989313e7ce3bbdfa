package otlp

import (
	"encoding/json"
	"strconv"
)

// The messages in JSON, as the protocol maps them: numbers of 64 bits are text,
// and unknown fields are passed over.
type (
	request struct {
		ResourceLogs []struct {
			ScopeLogs []struct {
				LogRecords []logRecord `json:"logRecords"`
			} `json:"scopeLogs"`
		} `json:"resourceLogs"`
	}
	logRecord struct {
		Time       number     `json:"timeUnixNano"`
		Observed   number     `json:"observedTimeUnixNano"`
		Event      string     `json:"eventName"`
		Trace      string     `json:"traceId"`
		Span       string     `json:"spanId"`
		Attributes []keyValue `json:"attributes"`
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

func readJSON(body []byte) ([]Record, error) {
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, invalid("is not an ExportLogsServiceRequest in JSON: "+err.Error(), "send what Content-Type says: application/x-protobuf or application/json")
	}
	var records []Record
	for _, resource := range in.ResourceLogs {
		for _, scope := range resource.ScopeLogs {
			for i := range scope.LogRecords {
				records = append(records, scope.LogRecords[i].record())
			}
		}
	}
	if len(records) > MaxRecords {
		return nil, tooMany()
	}
	return records, nil
}

func (l *logRecord) record() Record {
	r := Record{Event: l.Event, Trace: l.Trace, Span: l.Span}
	for i := range l.Attributes {
		a := &l.Attributes[i]
		switch v := &a.Value; {
		case v.String != nil:
			r.set(a.Key, *v.String)
		case v.Bool != nil:
			r.set(a.Key, strconv.FormatBool(*v.Bool))
		case v.Int != nil:
			r.set(a.Key, strconv.FormatInt(int64(*v.Int), 10))
		case v.Double != nil:
			r.set(a.Key, string(*v.Double))
		}
	}
	r.settle(uint64(l.Time), uint64(l.Observed))
	return r
}
