package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Calculate answers one question in JSON, as `sluice stats` and /api/v1/stats
// do: compare, guardrail, events or srm. Keys are in snake_case there.
//
//	out, err := stats.Calculate("events", []byte(`{"counts": [0, 7], "traffic": [0.5, 0.5]}`))
//
// A question without an answer is a *Refusal as err, and
// {"error": {"code": …, "field": …, "message": …}} as out.
func Calculate(command string, in []byte) (out []byte, err error) {
	answer, refusal := calculate(command, in)
	if refusal != nil {
		out, err := json.Marshal(map[string]*Refusal{"error": refusal})
		return out, errors.Join(refusal, err)
	}
	return json.Marshal(answer)
}

// Commands are the questions that Calculate answers.
func Commands() []string { return []string{"compare", "guardrail", "events", "srm"} }

func calculate(command string, in []byte) (any, *Refusal) {
	switch command {
	case "compare":
		return calculateCompare(in)
	case "guardrail":
		return calculateGuardrail(in)
	case "events":
		return calculateEvents(in)
	case "srm":
		return calculateSRM(in)
	}
	return nil, refuse(BadInput, "", fmt.Sprintf("%q is not carried out here; the commands are %s", command, strings.Join(Commands(), ", ")))
}

// decode reads one JSON object, every key of which the question knows: a
// setting that would be ignored is refused.
func decode(in []byte, into any) *Refusal {
	d := json.NewDecoder(bytes.NewReader(in))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return undecoded(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return refuse(BadInput, "", "there is something behind the JSON object")
	}
	return nil
}

// undecoded names the field that encoding/json stopped at.
func undecoded(err error) *Refusal {
	var refusal *Refusal
	var wrong *json.UnmarshalTypeError
	field, unknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.As(err, &refusal):
		return refusal
	case unknown:
		return refuse(BadInput, strings.Trim(field, `"`), "is no setting of this command")
	case errors.As(err, &wrong):
		return refuse(BadInput, wrong.Field, "is a JSON "+wrong.Value+", which has no meaning here")
	case errors.Is(err, io.EOF):
		return refuse(BadInput, "", "there is no JSON object on the input")
	}
	return refuse(BadInput, "", "reading JSON: "+err.Error())
}

// uncarried refuses a setting that the contract knows and this version does not
// compute. empty lists the values that ask for nothing.
func uncarried(field, value string, empty ...string) *Refusal {
	for _, e := range append(empty, "") {
		if value == e {
			return nil
		}
	}
	return refuse(BadInput, field, fmt.Sprintf("%q is not carried out here", value))
}

// doubtful is how the calculator words a Doubt.
type doubtful struct {
	Method      string   `json:"method"`
	Assumptions []string `json:"assumptions"`
	Warnings    []string `json:"warnings"`
}

func worded(d Doubt) doubtful {
	return doubtful{Method: d.Method, Assumptions: append([]string{}, d.Assumptions...), Warnings: append([]string{}, d.Warnings...)}
}
