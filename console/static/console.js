// What the pages need of scripts: the stream that says what changed. Without scripts everything works by reloading.
"use strict";

(() => {
  const QUIET = 250;

  // One event for the page: htmx reloads the parts that wait for it (hx-trigger="live:queue from:body").
  const waiting = new Map();
  function changed(topic) {
    if (waiting.has(topic)) return;
    waiting.set(topic, setTimeout(() => {
      waiting.delete(topic);
      document.body.dispatchEvent(new CustomEvent("live:" + topic));
    }, QUIET));
  }

  // A part that somebody types into, or has opened, stays as it is until they are done.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    const chosen = part.querySelector("input[type=checkbox]:checked") !== null;
    const busy = chosen || part.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), select, textarea");
    if (event.detail.requestConfig.triggeringEvent?.type.startsWith("live:") && busy) event.preventDefault();
  });

  // A part that is replaced keeps what its reader did there: where the focus is, and which details are open.
  const FOCUSED = "a, button, summary, input, select, textarea, [tabindex]";
  const kept = new Map();
  function named(part, selector) {
    const seen = new Map();
    const found = new Map();
    for (const element of part.querySelectorAll(selector)) {
      // Counts in the words change while something runs; the rest says which one it is.
      const words = element.matches("a[href]") ? element.getAttribute("href") : element.textContent.replace(/[\d.,]+/g, "").trim();
      const name = [element.tagName, element.id, element.getAttribute("name"), element.getAttribute("value"), words].join("|");
      const nth = seen.get(name) ?? 0;
      seen.set(name, nth + 1);
      found.set(name + "|" + nth, element);
    }
    return found;
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!part.id || !part.matches("[hx-trigger*='live:']")) return;
    const open = new Map([...named(part, "details > summary")].map(([name, summary]) => [name, summary.parentElement.open]));
    const focus = [...named(part, FOCUSED)].find(([, element]) => element === document.activeElement)?.[0];
    kept.set(part.id, { open, focus });
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, { open, focus }] of kept) {
      const part = document.getElementById(id);
      if (!part) continue;
      for (const [name, summary] of named(part, "details > summary")) {
        if (open.has(name)) summary.parentElement.open = open.get(name);
      }
      if (focus) named(part, FOCUSED).get(focus)?.focus({ preventScroll: true });
    }
    kept.clear();
  });

  function topics() {
    const found = new Set();
    for (const part of document.querySelectorAll("[hx-trigger*='live:']")) {
      for (const match of part.getAttribute("hx-trigger").matchAll(/live:([\w-]+)/g)) found.add(match[1]);
    }
    return found;
  }

  let source = null;
  const place = document.body.dataset.live;
  const shown = document.querySelector(".live-state");
  function say(word) {
    if (!shown) return;
    shown.hidden = false;
    shown.textContent = word;
    document.body.dataset.liveState = word;
  }
  function open() {
    const wanted = topics();
    if (source || !place || wanted.size === 0) return;
    source = new EventSource(place);
    source.onopen = () => say("live");
    source.onerror = () => say("not live: the console does not answer");
    for (const topic of wanted) source.addEventListener(topic, () => changed(topic));
  }
  function close() {
    if (!source) return;
    source.close();
    source = null;
    say("paused while the page is hidden");
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
    } else {
      open();
      for (const topic of topics()) changed(topic);
    }
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", () => { if (!document.hidden) open(); });
  if (!document.hidden) open();
})();
