package browsertest

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// CheckKeys asks of the page that is open that a keyboard is enough: all that can
// be used takes the focus and shows it, in the order in which it is read; "/"
// leads to the search, and j and k along the rows.
func CheckKeys(t *testing.T, tab context.Context) {
	t.Helper()
	for _, fault := range Eval[[]string](t, tab, "("+focusFaults+")()") {
		t.Errorf("by keyboard alone: %s", fault)
	}
	const rows = `document.querySelectorAll("a[data-row]")`
	for _, key := range []struct {
		press, leads string
		on           bool // from where the key before led
	}{{"/", `document.getElementById("q")`, false}, {"j", rows + "[0]", false}, {"j", rows + "[1]", true}, {"k", rows + "[0]", true}} {
		if !Eval[bool](t, tab, key.leads+" != null") {
			continue
		}
		if !key.on {
			Eval[bool](t, tab, "document.activeElement.blur(); true")
		}
		Do(t, tab, chromedp.KeyEvent(key.press))
		if !Eval[bool](t, tab, "document.activeElement === "+key.leads) {
			t.Errorf("%q does not lead to %s", key.press, key.leads)
		}
	}
}

// CheckTab goes through the page with the Tab key, as somebody without a mouse
// does, and fails unless that comes by everything that can be used, in the order
// in which it is read, with an outline around it; and that Escape closes what a
// key opened.
func CheckTab(t *testing.T, tab context.Context) {
	t.Helper()
	n := Eval[int](t, tab, "("+beginTabs+")()")
	if n == 0 {
		t.Fatal("the page has nothing that can be used")
	}
	Do(t, tab, chromedp.KeyEvent(strings.Repeat("\t", n+1)))
	for _, fault := range Eval[[]string](t, tab, "("+endTabs+")()") {
		t.Errorf("with the Tab key: %s", fault)
	}
	checkEscape(t, tab)
}

// checkEscape fails unless "?" opens the list of keys with the focus in it, and
// Escape closes it and leads back to where the focus was.
func checkEscape(t *testing.T, tab context.Context) {
	t.Helper()
	Eval[bool](t, tab, `window.was = document.querySelector("a[href]"); was.focus(); true`)
	for _, key := range []struct{ press, want string }{
		{"?", `help.open && help.contains(document.activeElement)`},
		{kb.Escape, `!help.open && document.activeElement === was`},
	} {
		Do(t, tab, chromedp.KeyEvent(key.press))
		if !Eval[bool](t, tab, `(help => `+key.want+`)(document.getElementById("help"))`) {
			t.Errorf("after %q it is not so that %s", key.press, key.want)
		}
	}
}

// usable finds all that somebody may want to reach, in the order of the page. Of
// a grid it is one cell, and of answers that exclude one another the one that is
// given, or the first: arrows lead to the others.
const usable = `const answer = (e) => { const all = [...document.querySelectorAll("[type=radio]")].filter((o) => o.name === e.name && o.form === e.form); return all.find((o) => o.checked) ?? all[0]; };
  const usable = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")].filter((e) =>
    e.checkVisibility({visibilityProperty: true}) && !e.disabled && !(e.closest("[data-grid]") && e.tabIndex < 0) && (e.type !== "radio" || e === answer(e)));
  const told = (e) => e.outerHTML.slice(0, 120);
  const outlined = (e) => { const s = getComputedStyle(e); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; };`

const focusFaults = `() => { ` + usable + `
  const faults = [];
  for (const e of usable) {
    e.focus({focusVisible: true, preventScroll: true});
    if (document.activeElement !== e) faults.push("does not take the focus: " + told(e));
    else if (!outlined(e)) faults.push("does not show the focus: " + told(e));
    if (e.tabIndex !== 0) faults.push("is out of the order of the page: " + told(e));
  }
  for (const grid of document.querySelectorAll("[data-grid]"))
    if ([...grid.querySelectorAll("button")].filter((b) => b.tabIndex === 0).length !== 1) faults.push("a grid has not one cell for Tab: " + told(grid));
  document.activeElement.blur();
  return faults;
}`

const beginTabs = `() => { ` + usable + `
  window.passed = [];
  window.expected = usable;
  document.addEventListener("focusin", (e) => passed.push([e.target, outlined(e.target)]));
  document.activeElement.blur();
  return usable.length;
}`

const endTabs = `() => {
  const told = (e) => e?.outerHTML.slice(0, 120), faults = [];
  const came = passed.filter(([e]) => expected.includes(e)).slice(0, expected.length);
  const at = expected.findIndex((e, i) => came[i]?.[0] !== e);
  if (at >= 0) faults.push("comes to " + told(came[at]?.[0]) + " in the place of " + told(expected[at]));
  for (const [e, outlined] of passed) if (!outlined) faults.push("does not show the focus: " + told(e));
  return faults;
}`
