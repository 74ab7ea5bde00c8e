// Keeps a page fresh, its clocks running and its reader told. The page is complete without it.
"use strict";
(() => {
  const body = document.body;
  const words = body.dataset;
  const skew = Date.parse(words.now) - Date.now(); // the server's clock counts, not the desk's
  const now = () => Date.now() + skew;
  const put = (text, value) => text.replace("{}", value);
  const say = (place, text) => {
    const region = document.getElementById(place);
    region.textContent = "";
    requestAnimationFrame(() => { region.textContent = text; });
  };

  // --- clocks: the words of spans.py ---------------------------------------------------------------------
  const two = (number) => String(number).padStart(2, "0");
  function span(milliseconds) {
    const seconds = Math.floor(Math.abs(milliseconds) / 1000);
    const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
    const minutes = Math.floor(seconds / 60) % 60;
    const chinese = words.language === "zh";
    if (days) return chinese ? `${days} 天 ${hours} 小时` : `${days} d ${hours} h`;
    if (hours) return chinese ? `${hours} 小时 ${two(minutes)} 分` : `${hours} h ${two(minutes)} min`;
    return `${two(minutes)}:${two(seconds % 60)}`;
  }
  function heat(share, left) {
    if (left < 0) return "late";
    if (share >= 0.8 || left <= 15 * 60000) return "hot";
    return share >= 0.5 || left <= 60 * 60000 ? "soon" : "calm";
  }
  const thresholds = [60, 30, 10, 5, 1, 0]; // minutes; said aloud once each
  const before = new Map();
  function tick() {
    const seen = new Set();
    if (wall) wall.textContent = `${face.format(now())} ${offset}`;
    for (const count of document.querySelectorAll("[data-due]")) {
      const due = Date.parse(count.dataset.due), began = Date.parse(count.dataset.began);
      const left = due - now();
      const share = due > began ? Math.min(1, Math.max(0, (now() - began) / (due - began))) : 0;
      const text = put(left < 0 ? words.late : words.left, span(left));
      if (count.textContent !== text) count.textContent = text;
      const card = count.closest(".face"), state = heat(share, left);
      if (card.dataset.heat !== state) {
        card.dataset.heat = state;
        const burn = card.closest(".burn");
        if (burn && burn.querySelector(".face") === card) burn.dataset.heat = state;
      }
      card.querySelector("progress").value = share;
      const key = `${count.dataset.about} ${count.dataset.due}`;
      if (!seen.has(key)) announce(key, count.dataset.about, left);
      seen.add(key);
    }
  }
  const wall = document.getElementById("wall");
  const offset = wall && wall.textContent.split(" ").pop();
  const face = wall && new Intl.DateTimeFormat("en-GB", { timeZone: wall.dataset.zone, timeStyle: "medium" });
  function announce(key, about, left) {
    const last = before.get(key);
    before.set(key, left);
    if (last === undefined) return;
    const crossed = thresholds.filter((minutes) => last > minutes * 60000 && left <= minutes * 60000).pop();
    if (crossed === undefined) return;
    say("assertive", `${about}. ${crossed ? put(words.warn, crossed) : words.gone}`);
  }
  setInterval(tick, 1000);
  tick();

  // --- changes -------------------------------------------------------------------------------------------
  if (words.journal === undefined) return;
  const banner = document.getElementById("link");
  let last = words.journal, source, heard = Date.now(), fresh = new Date(now()), due = null;
  function lost() {
    if (!banner.hidden) return;
    banner.textContent = put(words.lost, `${face.format(fresh)} ${offset}`);
    banner.hidden = false;
    say("assertive", banner.textContent);
  }
  function found() {
    heard = Date.now();
    fresh = new Date(now());
    if (banner.hidden) return;
    banner.hidden = true;
    say("polite", words.back);
    refresh();
  }
  function refresh() {
    if (due) return; // many changes at once are one look
    due = setTimeout(() => { due = null; htmx.trigger(body, "fengsui:refresh"); }, 120);
  }
  function connect() {
    if (source) source.close();
    source = new EventSource(`/events?after=${last}`);
    source.addEventListener("pulse", found);
    source.addEventListener("journal", (event) => {
      const change = JSON.parse(event.data);
      last = event.lastEventId;
      found();
      if (change.text) say(change.action === "incident.opened" ? "assertive" : "polite", change.text);
      refresh();
    });
    source.addEventListener("error", lost);
  }
  connect();
  setInterval(() => {
    const silent = Date.now() - heard > 12000;
    if (silent) lost();
    if (silent || source.readyState === EventSource.CLOSED) { heard = Date.now() - 8000; connect(); }
  }, 3000);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) { connect(); refresh(); } });

  // --- morphing keeps what a person has begun: typed words, opened details, running clocks ------------------
  const kept = { INPUT: 1, SELECT: 1, TEXTAREA: 1 };
  const begun = (field) => field.type === "radio" || field.type === "checkbox"
    ? field.checked !== field.defaultChecked
    : field.tagName === "SELECT" ? field.selectedIndex > 0 : field.value !== field.defaultValue;
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) =>
    !(old.nodeType === 1 && kept[old.tagName] && old.type !== "hidden" && begun(old));
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && node.tagName === "DETAILS");
  body.addEventListener("htmx:beforeSwap", (event) => {
    const sender = event.detail.requestConfig.elt;
    if (sender.tagName === "FORM" && !event.detail.isError) sender.reset();
  });
  body.addEventListener("htmx:afterSettle", tick);
  body.addEventListener("htmx:sendError", lost);
})();
