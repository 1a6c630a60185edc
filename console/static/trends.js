// Draws the plots of the trends page from the same figures that its tables show.
"use strict";

(() => {
  const place = document.querySelector("[data-trends]");
  if (!place || typeof uPlot === "undefined") return;
  const HEIGHT = 220;
  const COLOURS = ["--plot-1", "--plot-2", "--plot-3", "--plot-4", "--plot-5", "--plot-6", "--plot-7", "--plot-8"];
  const BY_NAME = { SUCCEEDED: "--plot-2", FAILED: "--plot-3", HELD: "--plot-4", saved: "--plot-2" };
  const FEW = 3;
  const WHOLE = [1, 2, 5].flatMap((digit) => [...Array(9).keys()].map((power) => digit * 10 ** power)).sort((a, b) => a - b);

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function amount(value, unit) {
    if (value === null || value === undefined) return "";
    if (unit === "seconds") return value >= 3600 ? (value / 3600).toFixed(1) + " h" : value >= 60 ? (value / 60).toFixed(1) + " min" : value >= 1 || value === 0 ? +value.toFixed(1) + " s" : +(value * 1000).toPrecision(2) + " ms";
    const steps = unit === "bytes" ? [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] : [["M", 1e6], ["k", 1e3]];
    for (const [word, each] of steps) if (value >= each) return +(value / each).toFixed(1) + " " + word;
    return String(Math.round(value)) + (unit === "bytes" ? " B" : "");
  }

  // As everywhere here: UTC, by 24 hours, the date where a day begins.
  function hours(_, ticks, __, ___, step) {
    let day = "";
    return ticks.map((tick) => {
      const text = new Date(tick * 1000).toISOString();
      const date = text.slice(0, 10);
      const label = step >= 86400 ? date : text.slice(11, 16) + (date === day ? "" : "\n" + date);
      day = date;
      return label;
    });
  }

  function draw(spot, chart, buckets, span) {
    const names = Object.keys(chart.lines);
    if (!names.some((name) => chart.lines[name].some((value) => value))) return;
    spot.hidden = false;
    spot.replaceChildren();
    const free = COLOURS.filter((each) => !names.some((name) => BY_NAME[name] === each));
    let taken = 0;
    const lines = names.map((name) => ({
      label: name,
      stroke: colour(BY_NAME[name] || free[taken++ % free.length]),
      width: 2,
      dash: names.indexOf(name) >= COLOURS.length ? [6, 3] : undefined,
      spanGaps: false,
      // Of something that happens once a day, a line alone shows nothing.
      points: { size: 5, show: chart.lines[name].filter((value) => value !== null).length <= FEW },
      value: (_, value) => amount(value, chart.unit),
    }));
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const format = (at) => at.toISOString().replace("T", " ").slice(0, span === "hour" ? 16 : 10);
    new uPlot({
      width: spot.clientWidth || 400,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      series: [{ label: "UTC", value: (_, seconds) => (seconds ? format(new Date(seconds * 1000)) : "") }, ...lines],
      axes: [{ ...axis, values: hours, space: 70 }, { ...axis, size: 64, incrs: chart.unit === "seconds" ? undefined : WHOLE, values: (_, ticks) => ticks.map((tick) => amount(tick, chart.unit)) }],
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
