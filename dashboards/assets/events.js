// Events as they come: newest first, at most 200, said aloud when asked to. The
// page shows the last ones without it.
"use strict";
(() => {
  const tail = document.querySelector("table[data-tail]");
  const by = (id) => document.getElementById(id), copy = (id) => by(id).content.cloneNode(true);
  const pause = by("tail-pause"), rows = tail.tBodies[0], tell = (text) => { by("tail-state").textContent = text; };
  let from = null, waiting = [];
  const row = (h) => {
    const r = copy("heard-row"), at = new Date(h.received).toISOString(), time = r.querySelector("time"), slot = (is) => r.querySelector(`[data-is=${is}]`);
    time.dateTime = at;
    time.textContent = at.slice(0, 19).replace("T", " ") + "\u00a0UTC";
    slot("mark").append(copy("verdict-" + h.verdict));
    for (const is of ["kind", "name", "id"]) slot(is).textContent = h[is] ?? "";
    slot("note").textContent = h.notes?.map((n) => [n.field, n.value && `"${n.value}"`, n.why, n.fix && "– " + n.fix].filter(Boolean).join(" ")).join(". ");
    slot("fact").textContent = h.fact ? JSON.stringify(h.fact) : "nothing";
    return r;
  };
  const draw = () => {
    document.querySelector(".empty")?.remove();
    rows.prepend(...waiting.splice(0).reverse().map(row));
    while (rows.rows.length > 200) rows.deleteRow(-1);
  };
  const hear = () => {
    from?.close();
    if (document.hidden || pause.ariaPressed === "true") return tell("Paused.");
    from = new EventSource(tail.dataset.tail);
    from.onopen = () => tell("Listening.");
    from.onerror = () => tell("The server does not answer.");
    from.addEventListener("missed", () => tell("There are more than can be shown."));
    from.addEventListener("heard", (e) => { if (waiting.push(JSON.parse(e.data)) === 1) setTimeout(draw, 200); waiting.splice(0, waiting.length - 200); });
  };
  pause.addEventListener("click", () => { pause.ariaPressed = pause.ariaPressed !== "true"; hear(); });
  by("tail-aloud").addEventListener("change", (e) => { tail.ariaLive = e.target.checked ? "polite" : "off"; });
  document.addEventListener("visibilitychange", hear);
  addEventListener("pagehide", () => from?.close());
  hear();
})();
