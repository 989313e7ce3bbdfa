package browsertest

import (
	"context"
	"testing"
)

// CheckColourless asks of the page that is open that nothing is said by colour,
// or by a drawing, alone: whatever has the colour of a state has a sign and a
// word, each chart has a title, a sentence that states its conclusion and its
// numbers in a table, and lines of one chart differ in more than their colour.
func CheckColourless(t *testing.T, tab context.Context) {
	t.Helper()
	for _, fault := range Eval[[]string](t, tab, "("+colourless+")()") {
		t.Errorf("without colours or drawings: %s", fault)
	}
}

const colourless = `() => {
  const faults = [], words = (e) => (e?.textContent ?? "").replace(/\s+/g, " ").trim();
  const ask = (so, what, e) => { if (!so) faults.push(what + ": " + e.outerHTML.slice(0, 200)); };
  for (const m of document.querySelectorAll(".mark")) ask(m.querySelector(".glyph") && /[a-z]/.test(words(m)), "a state without sign or word", m);
  for (const b of document.querySelectorAll(".banner.loud")) ask(words(b), "a banner without words", b);
  for (const c of document.querySelectorAll(".units button, .cell, .pips li")) ask(words(c), "a coloured cell without a letter", c);
  for (const s of document.querySelectorAll("svg:not([aria-hidden=true])")) {
    const figure = s.closest("figure"), row = s.closest("tr");
    if (s.matches(".spark")) {
      ask(s.getAttribute("aria-label")?.split(" ").length > 2 && /\d/.test(words(s.parentElement)), "a small line without words or number", s);
      continue;
    }
    const [title, desc] = [s.querySelector(":scope > title"), s.querySelector(":scope > desc")];
    ask(s.getAttribute("role") === "img" && words(title), "a chart without a title", s);
    ask(/^\S+( \S+){2,}[.!?]$/.test(words(desc)), "a chart without a sentence that concludes", s);
    ask(s.getAttribute("aria-labelledby") === title?.id + " " + desc?.id && document.querySelectorAll("#" + CSS.escape(desc?.id)).length === 1, "a chart whose title and sentence belong to another", s);
    ask(/\d/.test(words(figure?.querySelector("table tbody td") ?? row?.querySelector("td.n"))) || /—/.test(words(row)), "a chart without a table of its numbers", s);
    const hands = new Map();
    for (const l of s.querySelectorAll("path.line, path.level")) {
      const c = getComputedStyle(l), hand = c.strokeDasharray + " " + c.strokeWidth;
      ask((hands.get(hand) ?? l.className.baseVal) === l.className.baseVal, "a line that differs from another by its colour alone", l);
      hands.set(hand, l.className.baseVal);
    }
  }
  return faults;
}`

// checkGraphics fails when a line, a sign or a word of a drawing stands out too
// little from what it is drawn on: axe-core looks at text outside of drawings
// alone.
func checkGraphics(t *testing.T, tab context.Context) {
	t.Helper()
	for _, fault := range Eval[[]string](t, tab, "("+pale+")()") {
		t.Errorf("hardly to be seen: %s", fault)
	}
}

const pale = `() => {
  const faults = new Set(), parts = (c) => c.match(/[\d.]+/g)?.map(Number) ?? [];
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const under = (e) => {
    for (; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return light(c);
    }
    return 1;
  };
  const contrast = (c, ground) => {
    if (parts(c).length !== 3) return 1;
    const [a, b] = [light(parts(c)), ground].sort((a, b) => b - a);
    return (a + .05) / (b + .05);
  };
  const grounds = new Map();
  for (const e of document.querySelectorAll("path.line, path.level, .zero, .margin, .point, .fixed, .bound, circle.head, .glyph path, svg text")) {
    const svg = e.ownerSVGElement, s = getComputedStyle(e), need = e.tagName === "text" ? 4.5 : 3;
    if (!grounds.has(svg)) grounds.set(svg, under(svg));
    const has = Math.max(contrast(s.fill, grounds.get(svg)), contrast(s.stroke, grounds.get(svg)));
    if (has < need) faults.add(e.tagName + "." + (e.className.baseVal || svg.className.baseVal) + " has a contrast of " + has.toFixed(2) + " and needs " + need);
  }
  return [...faults];
}`
