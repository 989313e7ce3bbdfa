// Package calculator answers questions about numbers that anybody brings, in
// JSON: what `sluice stats` and /api/v1/stats say. It holds the interchange
// forms of arms, which are sums, and of questions and answers. It computes
// nothing by itself beyond centring those sums: every number is that of the room
// stats, so that the calculator and the gates cannot differ.
//
//	out, err := calculator.Answer("events", []byte(`{"counts": [0, 7], "traffic": [0.5, 0.5]}`))
//
// A question without an answer is told in the same form,
// {"error": {"code": …, "field": …, "message": …}}, and names the field at
// fault. No answer holds a NaN or an infinity: an open side of an interval is
// null.
package calculator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// Answer answers one question. A question without an answer is a
// *stats.Refusal as err, and its JSON as out.
func Answer(command string, in []byte) (out []byte, err error) {
	found, refusal := answer(command, in)
	if refusal != nil {
		out, err := json.Marshal(map[string]*stats.Refusal{"error": refusal})
		return out, errors.Join(refusal, err)
	}
	return json.Marshal(found)
}

// Commands are the questions that are answered.
func Commands() []string {
	return []string{"compare", "guardrail", "events", "srm", "adjust", "power", "boundary"}
}

func answer(command string, in []byte) (any, *stats.Refusal) {
	switch command {
	case "compare":
		return compare(in)
	case "guardrail":
		return guardrail(in)
	case "events":
		return events(in)
	case "srm":
		return sampleRatio(in)
	case "adjust":
		return adjust(in)
	case "power":
		return power(in)
	case "boundary":
		return boundary(in)
	}
	return nil, bad("", fmt.Sprintf("%q is not carried out here; the commands are %s", command, strings.Join(Commands(), ", ")))
}

// decode reads one JSON object, every key of which the question knows: a
// setting that would be ignored is refused.
func decode(in []byte, into any) *stats.Refusal {
	d := json.NewDecoder(bytes.NewReader(in))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return undecoded(err)
	}
	if string(bytes.TrimSpace(in)) == "null" {
		return bad("", "there is no JSON object on the input")
	}
	if _, err := d.Token(); err != io.EOF {
		return bad("", "there is something behind the JSON object")
	}
	return nil
}

// undecoded names the field that encoding/json stopped at.
func undecoded(err error) *stats.Refusal {
	var refusal *stats.Refusal
	var wrong *json.UnmarshalTypeError
	field, unknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.As(err, &refusal):
		return refusal
	case unknown:
		return bad(strings.Trim(field, `"`), "is no setting of this command")
	case errors.As(err, &wrong):
		return bad(member(wrong.Field), "is a JSON "+wrong.Value+", which has no meaning here")
	case errors.Is(err, io.EOF):
		return bad("", "there is no JSON object on the input")
	}
	return bad("", "reading JSON: "+err.Error())
}

// member is the path of a member as it was written: encoding/json puts the name
// of an embedded struct before it.
func member(path string) string {
	for _, embedded := range []string{"pairs.", "sequenceJSON."} {
		path = strings.TrimPrefix(path, embedded)
	}
	return path
}

// doubtful is how the calculator words a Doubt.
type doubtful struct {
	Method      string   `json:"method"`
	Assumptions []string `json:"assumptions"`
	Warnings    []string `json:"warnings"`
}

func worded(d stats.Doubt) doubtful {
	return doubtful{Method: d.Method, Assumptions: append([]string{}, d.Assumptions...), Warnings: append([]string{}, d.Warnings...)}
}
