package server

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestSimulatePage: made-up units get of a flag what a stage of its plan would
// give them, by the evaluator; nothing is recorded.
func TestSimulatePage(t *testing.T) {
	h := shop(t)
	ramped := strings.Replace(plan, "stages:", "stages:\n  - {name: canary, treatment: 5%, minWindow: 1m}", 1)
	h.want("approver", "POST", "/api/v1/apply", ramped, http.StatusOK, "created")
	before := h.Projection.Seq()
	h.see("viewer", "/simulate", http.StatusOK, "No flag is chosen")
	if body := h.see("viewer", "/simulate?flags=shop.checkout", http.StatusOK, "Of 1,000 units 0 get the treatment"); strings.Count(body, `<button name="unit"`) != 1000 {
		t.Error("there is no cell for each unit")
	}
	body := h.see("viewer", "/simulate?flags=shop.checkout&stage=1&unit=user-500", http.StatusOK, "user-500</bdi> gets")
	if !regexp.MustCompile(`From canary to experiment \d+ units keep the treatment, \d+ get it, 0 lose it and 0 change arm`).MatchString(body) {
		t.Errorf("the step is not shown to take nobody's treatment away:\n%s", body)
	}
	if !strings.Contains(body, "Text that is hashed") {
		t.Error("the buckets of the unit are not shown")
	}
	for path, want := range map[string]string{
		"/simulate?flags=none": "nothing of that name", "/simulate?flags=a+b+c+d+e": "side by side", "/simulate?flags=shop.checkout&stage=9": "is no stage",
		"/simulate?flags=shop.checkout&stage=x": "no place in a plan", "/simulate?flags=shop.checkout&stage=0&share=200": "no share of the units",
	} {
		if body := h.see("viewer", path, map[bool]int{true: http.StatusNotFound, false: http.StatusBadRequest}[strings.HasSuffix(path, "none")], want); body == "" {
			t.Errorf("%s says nothing", path)
		}
	}
	if got := h.Projection.Seq(); got != before {
		t.Errorf("to look recorded %d events", got-before)
	}
}
