// Draws the plots of the trends page from the same figures that its tables show.
"use strict";

(() => {
  const place = document.querySelector("[data-trends]");
  if (!place || typeof uPlot === "undefined") return;
  const HEIGHT = 220;
  const COLOURS = ["--busy", "--good", "--bad", "--warn", "--link", "--changed", "--muted", "--focus", "--main", "--kept", "--idle"];
  const BY_NAME = { SUCCEEDED: "--good", FAILED: "--bad", LOST: "--bad", HELD: "--warn", RETRY: "--warn", moved: "--busy", saved: "--good" };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function amount(value, unit) {
    if (value === null || value === undefined) return "";
    if (unit === "seconds") return value >= 3600 ? (value / 3600).toFixed(1) + " h" : value >= 60 ? (value / 60).toFixed(1) + " min" : value.toPrecision(3) + " s";
    const steps = unit === "bytes" ? [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] : [["M", 1e6], ["k", 1e3]];
    for (const [word, each] of steps) if (value >= each) return (value / each).toFixed(1) + " " + word;
    return String(Math.round(value)) + (unit === "bytes" ? " B" : "");
  }

  function draw(spot, chart, buckets, span) {
    const names = Object.keys(chart.lines);
    if (names.length === 0) return;
    spot.hidden = false;
    spot.replaceChildren();
    const lines = names.map((name, number) => ({
      label: name,
      stroke: colour(BY_NAME[name] || COLOURS[number % COLOURS.length]),
      width: 2,
      dash: number >= 4 ? [6, 3] : undefined,
      spanGaps: false,
      points: { size: 5 },
      value: (_, value) => amount(value, chart.unit),
    }));
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const format = (at) => at.toISOString().replace("T", " ").slice(0, span === "hour" ? 16 : 10);
    new uPlot({
      width: spot.clientWidth || 400,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      series: [{ label: "UTC", value: (_, seconds) => (seconds ? format(new Date(seconds * 1000)) : "") }, ...lines],
      axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => amount(tick, chart.unit)) }],
      scales: { y: { range: (_, least, most) => [0, most > 0 ? most * 1.05 : 1] } },
    }, [buckets, ...names.map((name) => chart.lines[name])], spot);
    spot.dataset.drawn = "yes";
  }

  let figures = null;
  function drawAll() {
    if (!figures) return;
    for (const chart of figures.charts) {
      const spot = place.querySelector(`[data-chart="${chart.name}"]`);
      if (spot) draw(spot, chart, figures.buckets, figures.span);
    }
  }

  fetch(place.dataset.trends, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
    .then((found) => {
      figures = found;
      drawAll();
      for (const table of place.querySelectorAll("details")) table.open = false;
    })
    .catch(() => { /* The tables stay open: they have the same figures. */ });

  let wait = null;
  window.addEventListener("resize", () => {
    clearTimeout(wait);
    wait = setTimeout(drawAll, 200);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
