package check

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	strict "sigs.k8s.io/yaml"
)

const actions = "../pipelines/github-actions.yml"

// TestWorkflowKeepsTheRules of GitHub Actions: its members, expressions,
// contexts and events, as actionlint knows them.
func TestWorkflowKeepsTheRules(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{Shellcheck: "", Pyflakes: ""})
	if err != nil {
		t.Fatal(err)
	}
	faults, err := linter.LintFile(actions, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("line %d: %s", f.Line, f.Message)
	}
}

// TestWorkflowDoesWhatTheGuideDoes: the scripts of the workflow are those of
// docs/pipelines.md, which a test of the program runs.
func TestWorkflowDoesWhatTheGuideDoes(t *testing.T) {
	source, err := os.ReadFile(actions)
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/pipelines.md")
	if err != nil {
		t.Fatal(err)
	}
	var w struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	if err := strict.Unmarshal(source, &w); err != nil {
		t.Fatal(err)
	}
	// The guide has less patience than the workflow.
	known, found := strings.ReplaceAll(string(guide), "timeout 2 ", "timeout 300 "), 0
	for job, j := range w.Jobs {
		for _, step := range j.Steps {
			if step.Run == "" || strings.HasPrefix(step.Run, "go install ") {
				continue
			}
			found++
			if !strings.Contains(known, "\n"+strings.TrimSpace(step.Run)+"\n") {
				t.Errorf("%s: docs/pipelines.md does not run\n%s", job, step.Run)
			}
		}
	}
	if found < 6 {
		t.Errorf("%d scripts are in the workflow", found)
	}
}
