package flags

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// ask compiles a condition, written as JSON, and asks it of attributes,
// written as JSON.
func ask(t *testing.T, condition, attributes string) bool {
	t.Helper()
	var c Condition
	if err := json.Unmarshal([]byte(condition), &c); err != nil {
		t.Fatal(err)
	}
	n, faults := c.compile(nil)
	if len(faults) > 0 {
		t.Fatalf("%s: %v", condition, faults)
	}
	got, failure := ParseContext([]byte(`{"context":` + attributes + `}`))
	if failure != nil {
		t.Fatal(failure)
	}
	return n.met(&got)
}

// Each line: operator, values as JSON, attributes that meet it, and after the
// bar attributes that do not; further fields of the condition after a second bar.
const operatorCases = `
eq            "DE"                    "DE"                                        | "de" "" 1 null [] ["de"]
eq            "DE"                    "DE" "de" ["x","dE"]                        | "FR" | "ignoreCase":true
eq            5                       5 5.0 [4,5]                                 | "5" 6 null true
eq            false                   false                                       | true "false" 0 null
ne            "DE"                    "FR" "" 5 true [] ["FR"]                    | "DE" null ["FR","DE"] {}
ne            "DE"                    "FR"                                        | "de" | "ignoreCase":true
lt            3                       2 -1 2.99 [7,1]                             | 3 4 "2" null
lte           3                       3 2                                         | 3.01 "3"
gt            3                       3.01 4                                      | 3 "4" null
gte           3                       3 4                                         | 2.99 null
in            ["a","b",3,true]        "a" 3 true ["z","b"]                        | "c" "A" 4 false null []
in            ["A","b"]               "a" "B"                                     | "c" | "ignoreCase":true
in            ["a","b","c","d","e","f","g","h","i","j"]  "a" "i" "j"              | "k" "" null
not_in        ["a","b"]               "c" 3 [] ["c"]                              | "a" ["c","b"] null
contains      ["bet","alp"]           "a bet" "alpha" ["x","alp"]                 | "BET" 3 null ""
contains      ["bet"]                 "A BET"                                     | "x" | "ignoreCase":true
not_contains  ["bet","alp"]           "gamma" [] ["x"]                            | "alpha" 3 null ["x","bet"] [3]
starts_with   ["w-","v-"]             "w-1" "v-"                                  | "x-w-" "W-1" 5 null
ends_with     ["@acme.com"]           "ana@acme.com"                              | "ana@acme.com.evil" null
ends_with     ["@ACME.com"]           "ana@acme.COM"                              | "ana@acme.org" | "ignoreCase":true
regex         ["^w-[0-9]+$","^v$"]    "w-17" "v"                                  | "w-" "vv" 17 null
regex         ["^W-"]                 "w-17"                                      | "x" | "ignoreCase":true
not_regex     ["^w-"]                 "v" []                                      | "w-1" 5 null
semver_eq     "1.2.0"                 "1.2.0" "v1.2" "1.2.0+build.7"              | "1.2.1" "1.2.0-rc.1" "x" 1.2 null
semver_ne     "1.2.0"                 "1.2.1"                                     | "1.2.0" "not a version" null
semver_lt     "2.0.0"                 "1.9.9" "2.0.0-rc.1"                        | "2.0.0" "x"
semver_lte    "2.0.0"                 "2.0.0" "v1"                                | "2.0.1"
semver_gt     "1.0.0-alpha.1"         "1.0.0-alpha.2" "1.0.0-alpha.beta" "1.0.0"  | "1.0.0-alpha.1" "1.0.0-alpha"
semver_gte    "1.10.0"                "1.10.0" "1.11"                             | "1.9.0"
before        "2027-01-01"            "2026-12-31" "2026-12-31T23:59:59Z" 1700000000 1700000000000 | "2027-01-01" "soon" null
after         "2027-01-01T00:00:00Z"  "2027-01-01T00:00:01Z" "2027-01-02"         | "2027-01-01T01:00:00+02:00" 1700000000
cidr          ["10.0.0.0/8","2001:db8::/32"]  "10.1.2.3" "2001:db8::1" "::ffff:10.0.0.1" ["1.1.1.1","10.0.0.1"] | "11.0.0.1" "10.0.0.1:80" 5 null
modulo        [10,3]                  13 3 -7                                     | 14 3.5 "13" null
is_set        -                       "" 0 false [] {}                            | null
is_not_set    -                       null                                        | "" 0
`

func TestOperators(t *testing.T) {
	tested := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(operatorCases), "\n") {
		sides := strings.Split(line, " | ")
		fields := strings.Fields(sides[0])
		op, values := fields[0], fields[1]
		condition := `{"attribute":"x","op":"` + op + `"`
		switch {
		case strings.HasPrefix(values, "["):
			condition += `,"values":` + values
		case values != "-":
			condition += `,"value":` + values
		}
		if len(sides) == 3 {
			condition += "," + sides[2]
		}
		condition, tested[op] = condition+"}", true
		for want, list := range map[bool]string{true: strings.TrimSpace(sides[0])[strings.Index(sides[0], values)+len(values):], false: sides[1]} {
			for _, v := range jsonValues(t, list) {
				if got := ask(t, condition, `{"x":`+v+`}`); got != want {
					t.Errorf("%s of %s: got %v, want %v", condition, v, got, want)
				}
			}
		}
	}
	for op := range strings.SplitSeq(strings.TrimPrefix(known, "use one of "), ", ") {
		alone := slices.Contains([]Operator{InSegment, NotInSegment, InBucket}, Operator(op)) // those ask no attribute: see segment_test.go and foreign_test.go
		if !tested[op] && !alone {
			t.Errorf("operator %s has no case", op)
		}
	}
}

// jsonValues reads values that stand one behind the other.
func jsonValues(t *testing.T, s string) (out []string) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(s)); d.More(); {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		out = append(out, string(v))
	}
	return out
}

func TestAbsentAttributeMeetsOnlyIsNotSet(t *testing.T) {
	for op, values := range map[string]string{
		"eq": `["a"]`, "ne": `["a"]`, "not_in": `["a"]`, "not_contains": `["a"]`, "not_regex": `["a"]`, "semver_ne": `["1.0.0"]`, "is_set": "[]",
	} {
		condition := fmt.Sprintf(`{"attribute":"x","op":%q,"values":%s}`, op, values)
		if ask(t, condition, `{"y":1}`) {
			t.Errorf("%s is met without the attribute", condition)
		}
	}
	if !ask(t, `{"attribute":"x","op":"is_not_set"}`, `{}`) {
		t.Error("is_not_set is not met without the attribute")
	}
}

func TestConditionTrees(t *testing.T) {
	const a, b = `{"attribute":"a","op":"eq","value":1}`, `{"attribute":"b","op":"eq","value":1}`
	for _, c := range []struct {
		condition, attributes string
		want                  bool
	}{
		{`{"all":[` + a + `,` + b + `]}`, `{"a":1,"b":1}`, true},
		{`{"all":[` + a + `,` + b + `]}`, `{"a":1}`, false},
		{`{"any":[` + a + `,` + b + `]}`, `{"b":1}`, true},
		{`{"any":[` + a + `,` + b + `]}`, `{"b":2}`, false},
		{`{"none":[` + a + `,` + b + `]}`, `{"b":2}`, true},
		{`{"none":[` + a + `,` + b + `]}`, `{"b":1}`, false},
		{`{"all":[` + a + `,{"none":[{"any":[` + b + `]}]}]}`, `{"a":1,"b":2}`, true},
		{`{"all":[` + a + `,{"none":[{"any":[` + b + `]}]}]}`, `{"a":1,"b":1}`, false},
		{`{"attribute":"plan.tier","op":"eq","value":"pro"}`, `{"plan":{"tier":"pro"}}`, true},
		{`{"attribute":"plan.tier","op":"eq","value":"pro"}`, `{"plan.tier":"pro","plan":{"tier":"free"}}`, true},
		{`{"attribute":"plan.tier","op":"is_set"}`, `{"plan":"pro"}`, false},
		{`{"attribute":"targetingKey","op":"in","values":["u1"]}`, `{"targetingKey":"u1"}`, true},
		{`{"attribute":"targetingKey","op":"is_set"}`, `{}`, false},
	} {
		if got := ask(t, c.condition, c.attributes); got != c.want {
			t.Errorf("%s of %s: got %v, want %v", c.condition, c.attributes, got, c.want)
		}
	}
}

func TestConditionOfGoValues(t *testing.T) {
	c := Condition{Attribute: "x", Op: In, Values: []any{uint64(5), "a"}}
	n, faults := c.compile(nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, v := range []any{5, int32(5), int64(5), uint64(5), float32(5), json.Number("5"), []string{"b", "a"}} {
		if !n.met(&Context{Attributes: map[string]any{"x": v}}) {
			t.Errorf("%T %v is not met", v, v)
		}
	}
}

// The order of semver.org 2.0.0, section 11.
func TestVersionsInOrder(t *testing.T) {
	list := strings.Fields("1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 2.0.0 2.1.0 2.1.1 10.0.0 10.0.99999999999999999999")
	for i, a := range list {
		for j, b := range list {
			x, okX := parseVersion(a)
			y, okY := parseVersion(b)
			if got := x.compare(y); !okX || !okY || (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s against %s: %d", a, b, got)
			}
		}
	}
	for _, s := range []string{"", "v", "1.", "1.2.3.4", "1.x", "-1", "1.0.0-", "1.0.0-a..b", "1.0.0-ä", "01.0.0", "1.02", "1.2-rc", "1+b", "1.0.0-01", "1.0.0+", "1.0.0+a..b", "1.0.0rc", "vv1"} {
		if _, ok := parseVersion(s); ok {
			t.Errorf("%q is read as a version", s)
		}
	}
}
