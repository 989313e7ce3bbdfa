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
	if !regexp.MustCompile(`From canary 5% to experiment 50%: \d+ units keep the treatment, \d+ get it, 0 lose it, and 0 move between`).MatchString(body) {
		t.Errorf("the step is not shown to take nobody's treatment away:\n%s", body)
	}
	if !strings.Contains(body, "Text that is hashed") || !strings.Contains(body, `name="was" value="1:50"`) {
		t.Error("the buckets of the unit, or what is shown, are missing")
	}
	body = h.see("viewer", "/simulate?flags=shop.checkout&stage=0&share0=20&was=0:5", http.StatusOK, `name="share0" min="0.1" max="50" step="0.1" value="20"`)
	if !regexp.MustCompile(`From canary 5% to canary 20%: [1-9]\d* units keep the treatment, [1-9]\d* get it, 0 lose it, and 0 move between`).MatchString(body) {
		t.Errorf("the slider moved, and what that does is not told:\n%s", body)
	}
	body = h.see("viewer", "/simulate?flags=shop.checkout&stage=0&share0=5&was=0:20", http.StatusOK, "0 get it, ")
	if !strings.Contains(body, "and 0 move between treatment and control") {
		t.Error("a smaller share moves units between the arms, or does not say that it does not")
	}
	for path, want := range map[string]string{
		"/simulate?flags=none": "nothing of that name", "/simulate?flags=a+b+c+d+e": "side by side", "/simulate?flags=shop.checkout&stage=9": "is no stage",
		"/simulate?flags=shop.checkout&stage=x": "is no stage", "/simulate?flags=shop.checkout&stage=0&share0=200": "no share of the units",
		"/simulate?flags=shop.checkout&stage=0&share0=0": "above 0", "/simulate?flags=shop.checkout&stage=0&was=7:1": "is no stage", "/simulate?flags=shop.checkout&stage=0&was=0:x": "no share of the units",
	} {
		if body := h.see("viewer", path, map[bool]int{true: http.StatusNotFound, false: http.StatusBadRequest}[strings.HasSuffix(path, "none")], want); body == "" {
			t.Errorf("%s says nothing", path)
		}
	}
	body = h.see("viewer", "/simulate?flags=shop.checkout+shop.checkout&b.stage=0&b.share0=20&b.was=0:5", http.StatusOK, `name="b.share0" min="0.1" max="50" step="0.1" value="20"`)
	if !regexp.MustCompile(`shop.checkout, from canary 5% to canary 20%: [1-9]\d* units keep`).MatchString(body) || !strings.Contains(body, "Of 1,000 units 0 get the treatment") {
		t.Errorf("the second flag is not put into a stage of its own:\n%s", body)
	}
	h.see("viewer", "/simulate?flags=shop.checkout+shop.checkout&b.stage=9", http.StatusBadRequest, "b.stage")
	if got := h.Projection.Seq(); got != before {
		t.Errorf("to look recorded %d events", got-before)
	}
}
