package server

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

const pageOfOne = "/rollouts/production/shop.checkout/1"

// asBrowser is what a browser sends with a form, or to see a page.
var asBrowser = []string{"Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"}

// send sends a form as a browser does.
func (h *house) send(who, path string, fields url.Values) (int, string, http.Header) {
	h.t.Helper()
	return h.ask(who, "POST", path, fields.Encode(), asBrowser...)
}

// hidden returns the hidden fields of the form on a page.
func (h *house) hidden(who, path string) url.Values {
	h.t.Helper()
	_, body, _ := h.ask(who, "GET", path, "", asBrowser...)
	fields := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		fields.Set(m[1], strings.ReplaceAll(m[2], "&#34;", `"`))
	}
	return fields
}

// TestActPage: a form does what the command does, says what was refused where
// it was written, and does nothing twice.
func TestActPage(t *testing.T) {
	h := shop(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	h.look()
	hold := h.hidden("approver", pageOfOne+"/hold")
	if hold.Get(formKey) == "" || hold.Has("seen") {
		t.Fatalf("the form names no request, or may come too late to stop something: %v", hold)
	}
	code, body, _ := h.send("approver", pageOfOne+"/hold", hold)
	if code != http.StatusUnprocessableEntity && code != http.StatusBadRequest || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("a hold without a reason: %d, and no field says so:\n%s", code, body)
	}
	hold.Set("comment", "support is short today")
	before := h.Projection.Seq()
	for range 2 {
		code, _, header := h.send("approver", pageOfOne+"/hold", hold)
		if code != http.StatusSeeOther || header.Get("Location") != pageOfOne {
			t.Errorf("to hold: %d to %q", code, header.Get("Location"))
		}
	}
	if r := h.newest(); r.Status != decisions.Paused || h.Projection.Seq() != before+1 {
		t.Errorf("it is %s after %d events, want paused after one", r.Status, h.Projection.Seq()-before)
	}
	resume := h.hidden("approver", pageOfOne+"/resume")
	resume.Set("seen", `"1"`)
	if code, body, _ := h.send("approver", pageOfOne+"/resume", resume); code != http.StatusConflict || !strings.Contains(body, "person:approver was faster") || strings.Contains(body, `value="&#34;1&#34;"`) {
		t.Errorf("what was seen is old, and the form does not hold the rollout as it is now: %d %s", code, body)
	}
}

// TestActPage_refused: whoever may not, and whoever sends the form from
// elsewhere, is turned away; there is no page of an operation that is none.
func TestActPage_refused(t *testing.T) {
	h := shop(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	for who, want := range map[string]int{"viewer": http.StatusForbidden, "bound": http.StatusForbidden, "": http.StatusSeeOther} {
		if code, _, _ := h.ask(who, "GET", pageOfOne+"/hold", "", asBrowser...); code != want {
			t.Errorf("the page as %q: %d, want %d", who, code, want)
		}
	}
	if code, _, _ := h.ask("approver", "GET", pageOfOne+"/dance", "", asBrowser...); code != http.StatusNotFound {
		t.Errorf("there is a page of no operation: %d", code)
	}
	foreign := append([]string{}, asBrowser[:4]...)
	if code, _, _ := h.ask("approver", "POST", pageOfOne+"/hold", "comment=so", append(foreign, "Sec-Fetch-Site", "cross-site")...); code != http.StatusForbidden {
		t.Errorf("a form of another site: %d", code)
	}
}

// TestNotice: what a form did is said on the next page, once.
func TestNotice(t *testing.T) {
	h := shop(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	hold := h.hidden("approver", pageOfOne+"/hold")
	hold.Set("comment", "so")
	_, _, header := h.send("approver", pageOfOne+"/hold", hold)
	note, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	_, body, header := h.ask("approver", "GET", pageOfOne, "", "Accept", "text/html", "Cookie", note)
	if !strings.Contains(body, "Hold: done.") || !strings.Contains(header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("nothing is said of what was done, or it is not forgotten: %v", header)
	}
	if _, body, _ := h.ask("approver", "GET", pageOfOne, "", "Accept", "text/html"); strings.Contains(body, "Hold: done.") {
		t.Error("it is said again")
	}
}

// TestChanges: an open page hears that its rollout changed, and nothing of
// what it may not see.
func TestChanges(t *testing.T) {
	h := shop(t, func(h *House) { h.Now = time.Now })
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, "GET", h.URL+"/changes?of="+url.QueryEscape("production/shop.checkout/1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.tokens["viewer"])
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() && lines.Text() != ": watching" {
	}
	h.want("approver", "POST", rolloutOne+"/hold", `{"comment":"so"}`, http.StatusOK, "paused")
	for lines.Scan() && lines.Text() != "event: changed" {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("nothing was heard of the change: %v", err)
	}
	h.want("viewer", "GET", "/changes?of=production/none/1", "", http.StatusNotFound, "")
	h.want("bound", "GET", "/changes?of=production/shop.checkout/1", "", http.StatusNotFound, "")
}
