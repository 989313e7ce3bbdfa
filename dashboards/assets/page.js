// What the pages can do beyond HTML: shortcuts, copying, local times as
// tooltips, and a note when the page could not be renewed. Nothing depends on it.
"use strict";
(() => {
  const root = document.documentElement;
  const help = document.getElementById("help");
  const keysOn = document.getElementById("keys-on");
  const said = document.getElementById("said");
  const say = (text) => { said.textContent = text; };
  root.classList.add("js");

  document.addEventListener("click", async (e) => {
    const from = e.target.closest("[data-copy],[data-copy-from]");
    if (!from || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    try {
      const text = from.dataset.copy ?? await (await fetch(from.href)).text();
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {
      if (from.href) location.assign(from.href);
      else say("This browser does not allow copying; select the text instead.");
    }
  });

  document.addEventListener("mouseover", (e) => {
    const time = e.target.closest("time[datetime]");
    if (time) time.title = new Date(time.dateTime).toLocaleString(undefined, { timeZoneName: "longOffset" });
  });

  try { keysOn.checked = localStorage.getItem("keys") !== "off"; } catch { /* storage is off: shortcuts stay on */ }
  keysOn.addEventListener("change", () => {
    try { localStorage.setItem("keys", keysOn.checked ? "on" : "off"); } catch { /* as above */ }
  });

  const step = (by) => {
    const rows = [...document.querySelectorAll("a[data-row]")];
    const next = rows.indexOf(document.activeElement) + by;
    rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
  };
  let before = "";
  document.addEventListener("keydown", (e) => {
    const typing = e.target.closest("input:not([type=checkbox]),textarea,select,[contenteditable]");
    if (typing || !keysOn.checked || e.ctrlKey || e.metaKey || e.altKey || help.open) return;
    const keys = before + e.key;
    before = e.key === "g" ? "g" : "";
    const search = document.getElementById("q");
    const place = keys.length === 2 && document.querySelector(`a[data-go="${CSS.escape(e.key)}"]`);
    if (place) location.assign(place.href);
    else if (e.key === "/" && search) search.focus();
    else if (e.key === "?") help.showModal();
    else if (e.key === "j") step(1);
    else if (e.key === "k") step(-1);
    else return;
    e.preventDefault();
  });

  // Arrows move through a grid of units; Tab leaves it.
  document.addEventListener("keydown", (e) => {
    const grid = e.target.closest("[data-grid]");
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid?.dataset.grid, ArrowDown: +grid?.dataset.grid }[e.key];
    if (!grid || !by) return;
    const cells = [...grid.querySelectorAll("button")];
    const next = cells[cells.indexOf(e.target) + by];
    if (next) { e.target.tabIndex = -1; next.tabIndex = 0; next.focus(); }
    e.preventDefault();
  });

  // A slider shows what it does while it moves: its stage is chosen, its number
  // written beside it, and the form sent when it rests for a moment.
  let moved = 0;
  document.addEventListener("input", (e) => {
    if (!e.target.closest("[data-live]")) return;
    if (e.target.type === "range") {
      e.target.nextElementSibling.value = `${e.target.value} %`;
      e.target.parentElement.querySelector("[type=radio]").checked = true;
    }
    clearTimeout(moved);
    moved = setTimeout(() => e.target.form.requestSubmit(), 60);
  });

  // The address keeps what a form shows in the same place.
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("[data-kept]")) return;
    const said = new FormData(e.target, e.submitter);
    history.replaceState(null, "", `${e.target.action}?${new URLSearchParams(said)}`);
  });

  // A choice that shows something else shows it at once.
  document.addEventListener("change", (e) => { if (e.target.matches("select[data-submit]")) e.target.form.requestSubmit(); });

  // The server says when there is something new. A browser opens six connections
  // to a server at most, so that only the page that is seen listens.
  let news = null;
  const listen = () => {
    const from = document.getElementById("live")?.dataset.changes;
    if (document.hidden || !from) { news?.close(); news = null; return; }
    if (news) return;
    news = new EventSource(from);
    news.addEventListener("changed", () => htmx.trigger(document.getElementById("live"), "changed"));
  };
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("htmx:after:swap", listen);
  addEventListener("pagehide", () => { news?.close(); news = null; });
  listen();

  // A page that nobody sees does not ask for itself, nor does one on which somebody
  // has begun to write: nothing may change under his hand.
  let written = 0;
  document.addEventListener("input", (e) => { if (e.target.closest("#live form[method=post]")) written++; });
  document.addEventListener("htmx:before:request", (e) => {
    e.detail.ctx.written = written;
    if (document.hidden || written && e.target.id === "live") e.preventDefault();
  });
  // What is said of a form that was written on since would take those letters away;
  // what is said of them is on its way.
  document.addEventListener("htmx:before:swap", (e) => { if (e.detail.ctx.written !== written) e.preventDefault(); });
  // What another field has changed is changed under the cursor too.
  document.addEventListener("htmx:after:swap", () => {
    const at = document.activeElement;
    if (!at.form?.matches("[hx-post]") || (at.defaultValue ?? at.value) === at.value) return;
    const [from, to] = [at.selectionStart, at.selectionEnd];
    at.value = at.defaultValue;
    at.setSelectionRange(from, to);
  });
  const old = (on) => root.classList.toggle("old", on);
  document.addEventListener("htmx:error", () => old(true));
  document.addEventListener("htmx:after:request", (e) => old(e.detail.ctx.response.status >= 400));
})();
