package calculator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

const cookieArms = `"control": {"type": "proportion", "n": 44700, "sum": 8502}, "treatment": {"type": "proportion", "n": 45489, "sum": 8279}`

// ask returns the answer to a question.
func ask(t *testing.T, command, in string) map[string]any {
	t.Helper()
	out, err := Answer(command, []byte(in))
	if err != nil {
		t.Fatalf("%s %s: %v", command, in, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return answer
}

// expect compares numbers of an answer to so many digits.
func expect(t *testing.T, answer map[string]any, within float64, want map[string]any) {
	t.Helper()
	for key, w := range want {
		got := answer[key]
		x, isNumber := got.(float64)
		if y, ok := w.(float64); ok && isNumber && math.Abs(x-y) <= within*math.Max(1, math.Abs(y)) {
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("%s = %v, want %v", key, got, w)
		}
	}
}

// refusal is a question without an answer, and what says so.
type refusal struct{ in, code, field string }

// refused asks questions that have no answer.
func refused(t *testing.T, command string, table []refusal) {
	t.Helper()
	for _, tt := range table {
		out, err := Answer(command, []byte(tt.in))
		var r *stats.Refusal
		if !errors.As(err, &r) || string(r.Code) != tt.code || r.Field != tt.field || r.Message == "" {
			t.Errorf("%s %s: %s, want %s of %q", command, tt.in, out, tt.code, tt.field)
			continue
		}
		if !strings.HasPrefix(string(out), `{"error":{"code":"`+tt.code+`"`) {
			t.Errorf("%s %s: printed %s", command, tt.in, out)
		}
	}
}

func TestRefusesWhatIsNoQuestion(t *testing.T) {
	refused(t, "bayes", []refusal{{`{}`, "bad_input", ""}})
	for _, command := range Commands() {
		refused(t, command, []refusal{
			{``, "bad_input", ""},
			{`[]`, "bad_input", ""},
			{`null`, "bad_input", ""},
			{`{} {}`, "bad_input", ""},
			{`{`, "bad_input", ""},
			{`{"colour": 1}`, "bad_input", "colour"},
			{`{"alpha": "0.05"}`, "bad_input", "alpha"},
			{`{"alpha": 1e999}`, "bad_input", "alpha"},
		})
	}
}

// Whatever the words: an answer or a refusal, and JSON.
func FuzzAnswer(f *testing.F) {
	f.Add("compare", `{`+cookieArms+`}`)
	f.Add("guardrail", `{`+cookieArms+`, "margin": 0.1}`)
	f.Add("events", `{"counts": [0, 7], "traffic": [0.5, 0.5]}`)
	f.Add("srm", `{"data": [0, 1, [1, 0]], "weights": [1, 1], "dirichlet_alpha": 3}`)
	f.Fuzz(func(t *testing.T, command, in string) {
		out, err := Answer(command, []byte(in))
		var refusal *stats.Refusal
		if !json.Valid(out) || err != nil && !errors.As(err, &refusal) {
			t.Fatalf("%s, %v", out, err)
		}
	})
}
