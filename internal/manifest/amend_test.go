package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const plan = `# The gate moves.
apiVersion: sluice/v1
kind: Rollout
flag: game.gate # the one of the levels
hypothesis: "Players stay: longer"
arms: {control: gate_30, treatment: gate_40}

# Who is asked.
metrics:
  success:
    - {metric: day_1, mde: 2%}
  diagnostics: [{metric: pages}]
stages:
  # A few first.
  - name: canary
    treatment: 1%
    exclude: {day_1: 30%}
  - name: experiment
    treatment: 50%
    decide: true
`

// TestAmend changes what it is told and keeps every other letter.
func TestAmend(t *testing.T) {
	for name, c := range map[string]struct {
		amend    []Amendment
		old, new string // what is replaced in the plan
	}{
		"nothing":            {[]Amendment{{"flag", "game.gate"}, {"owner", nil}}, "", ""},
		"a word":             {[]Amendment{{"flag", "game.door"}}, "flag: game.gate #", "flag: game.door #"},
		"a word in quotes":   {[]Amendment{{"hypothesis", "They leave, sooner"}}, `"Players stay: longer"`, `"They leave, sooner"`},
		"between braces":     {[]Amendment{{"arms.treatment", "true"}}, "treatment: gate_40}", `treatment: "true"}`},
		"a field of an item": {[]Amendment{{"stages[0].treatment", "2%"}}, "treatment: 1%", "treatment: 2%"},
		"a field is added":   {[]Amendment{{"owner", "game-team"}}, "    decide: true\n", "    decide: true\nowner: game-team\n"},
		"a field goes":       {[]Amendment{{"hypothesis", nil}}, "hypothesis: \"Players stay: longer\"\n", ""},
		"an item is added": {[]Amendment{{"metrics.success[1].metric", "day_7"}, {"metrics.success[1].mde", "1%"}},
			"    - {metric: day_1, mde: 2%}\n  diagnostics: [{metric: pages}]\n",
			"    - metric: day_1\n      mde: 2%\n    - metric: day_7\n      mde: 1%\n  diagnostics:\n    - metric: pages\n"},
		"an item goes": {[]Amendment{{"stages[1]", nil}}, "  # A few first.\n  - name: canary\n    treatment: 1%\n    exclude: {day_1: 30%}\n  - name: experiment\n    treatment: 50%\n    decide: true\n",
			"  - name: canary\n    treatment: 1%\n    exclude:\n      day_1: 30%\n"},
		"the last item goes": {[]Amendment{{"metrics.success[0]", nil}}, "  success:\n    - {metric: day_1, mde: 2%}\n  diagnostics: [{metric: pages}]\n", "  diagnostics:\n    - metric: pages\n"},
		"a map goes":         {[]Amendment{{"stages[0].exclude", nil}}, "    exclude: {day_1: 30%}\n", ""},
		"a list": {[]Amendment{{"stages[1].advanceWhen", []any{map[string]string{"manual": "games"}, map[string]string{"check": "load-test"}}}}, "  # A few first.\n  - name: canary\n    treatment: 1%\n    exclude: {day_1: 30%}\n  - name: experiment\n    treatment: 50%\n    decide: true\n",
			"  # A few first.\n  - name: canary\n    treatment: 1%\n    exclude:\n      day_1: 30%\n  - name: experiment\n    treatment: 50%\n    decide: true\n    advanceWhen:\n      - manual: games\n      - check: load-test\n"},
		"false":    {[]Amendment{{"rollback.lockUntilExplained", false}}, "    decide: true\n", "    decide: true\nrollback:\n  lockUntilExplained: false\n"},
		"a number": {[]Amendment{{"stages[0].approve", int64(2)}}, "    exclude: {day_1: 30%}\n", "    exclude:\n      day_1: 30%\n    approve: 2\n"},
		"true":     {[]Amendment{{"stages[0].decide", true}}, "    exclude: {day_1: 30%}\n", "    exclude:\n      day_1: 30%\n    decide: true\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Amend(plan, c.amend)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Replace(plan, c.old, c.new, 1), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAmend_says: whatever shape a document has, it says afterwards what it was
// told to, and nothing else differs.
func TestAmend_says(t *testing.T) {
	for _, source := range []string{
		`{"apiVersion": "sluice/v1", "kind": "Rollout", "flag": "a", "stages": [{"name": "x"}]}`,
		"---\napiVersion: sluice/v1\nkind: Rollout\nflag: a\nstages:\n- name: x\n",
		"kind: Rollout\nstages: [{name: x}]\napiVersion: sluice/v1\nflag: >\n  a\n",
	} {
		for _, a := range []Amendment{{"flag", "b: c"}, {"stages[0].name", "é, 100%"}, {"stages[1].name", "y"}, {"cleanup.due", "30d"}, {"flag", "12"}} {
			got, err := Amend(source, []Amendment{a})
			if err != nil {
				t.Fatalf("%s: %v", a.Path, err)
			}
			is, err := only(got)
			if err != nil || is.Text(a.Path) != a.Value || is.Kind != "Rollout" {
				t.Errorf("%s is %q, %v in\n%s", a.Path, is.Text(a.Path), err, got)
			}
			if a.Path != "stages[0].name" && is.Text("stages[0].name") != "x" {
				t.Errorf("%s: another field is lost in\n%s", a.Path, got)
			}
		}
	}
}

func TestAmend_refuses(t *testing.T) {
	for name, source := range map[string]string{"not YAML": "kind: [", "no header": "flag: a\n", "several": plan + "---\n" + plan} {
		if got, err := Amend(source, []Amendment{{"flag", "b"}}); err == nil || got != source {
			t.Errorf("%s: %v, and it is changed: %t", name, err, got != source)
		}
	}
}

func TestDocument_Count(t *testing.T) {
	d, err := only(plan)
	if err != nil {
		t.Fatal(err)
	}
	got := []int{d.Count("stages"), d.Count("arms"), d.Count("metrics.success"), d.Count("flag"), d.Count("stages[0].exclude"), d.Count("nothing")}
	if diff := cmp.Diff([]int{2, 2, 1, 0, 1, 0}, got); diff != "" {
		t.Error(diff)
	}
}
