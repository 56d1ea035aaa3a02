// Keeps a page of the dashboard up to date, and draws its charts from their tables. No other script runs here.
/* global htmx, uPlot */

const REFRESH_MS = 2_000;
const PAUSED = "updates-paused";

const live = () => document.getElementById("live");
const state = document.getElementById("live-state");
const toggle = document.getElementById("live-toggle");

let isPaused = sessionStorage.getItem(PAUSED) === "yes";
let isAsking = false;

function refresh() {
  // A hidden tab asks for nothing.
  if (isPaused || isAsking || document.hidden || live() === null) return;
  isAsking = true;
  htmx.trigger(live(), "refresh");
}

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

function showPaused() {
  toggle.textContent = isPaused ? "Resume updates" : "Pause updates";
  say(isPaused ? "Paused" : "Live");
  state.classList.toggle("on", !isPaused);
}

if (toggle !== null) {
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    isPaused = !isPaused;
    sessionStorage.setItem(PAUSED, isPaused ? "yes" : "no");
    showPaused();
    refresh();
  });
  showPaused();
  setInterval(refresh, REFRESH_MS);
  document.addEventListener("visibilitychange", refresh);
  document.addEventListener("htmx:finally:request", ({ detail }) => {
    isAsking = false;
    if (isPaused) return;
    const isGood = detail?.ctx?.response?.raw?.ok === true;
    say(isGood ? "Live" : "Can't reach the server");
    state.classList.toggle("on", isGood);
  });
  document.addEventListener("htmx:after:swap", () => drawAll());
}

const drawn = new Map();
const HEIGHT = 200;

/** What a chart's table holds: moments in seconds, and a list of numbers for each column. */
function readTable(figure) {
  const table = figure.querySelector("table");
  const rows = [...table.tBodies[0].rows];
  const valuesIn = (column) =>
    rows.map((row) => {
      const { value } = row.cells[column].dataset;
      return value === "" ? null : Number(value);
    });
  const columns = [...table.tHead.rows[0].cells].slice(1).map((cell, index) => ({
    name: cell.textContent,
    key: cell.dataset.colour,
    values: valuesIn(index + 1),
  }));
  return { moments: valuesIn(0).map((at) => at / 1000), columns };
}

/** The sums that bars of several colours on top of each other reach to, the topmost first. */
function stacked(columns) {
  const sums = columns.map(() => []);
  for (let row = 0; row < (columns[0]?.values.length ?? 0); row++) {
    let sum = 0;
    for (const [index, { values }] of columns.entries()) {
      sum += values[row] ?? 0;
      sums[index][row] = sum;
    }
  }
  return sums;
}

const probe = document.createElement("i");
/** A colour of site.css as it is in the theme of now. */
function colour(name) {
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "UTC" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");

function options(figure, { columns, moments }, width) {
  const isBars = figure.dataset.kind === "bars";
  const axis = {
    stroke: colour("quiet"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { show: false },
  };
  const half = moments.length > 1 ? (moments[1] - moments[0]) / 2 : 30;
  const series = columns.map(({ name, key }) => ({
    label: name,
    stroke: colour(`chart-${key}`),
    fill: isBars ? colour(`chart-${key}`) : undefined,
    width: isBars ? 0 : 2,
    spanGaps: false,
    paths: isBars ? uPlot.paths.bars({ size: [0.8, 28], radius: 0.15 }) : uPlot.paths.linear(),
    points: { show: !isBars, size: 6, fill: colour(`chart-${key}`) },
  }));
  return {
    width,
    height: HEIGHT,
    tzDate: utc,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: (_, min, max) => [min - half, max + half] },
      y: { range: (_, __, max) => [0, Math.max(isBars ? 4 : 10, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        space: 70,
        values: (_, splits) => splits.map(momentWords(moments)),
      },
      {
        ...axis,
        size: 44,
        space: 36,
        incrs: isBars ? WHOLE : undefined,
        // In English like the page, whatever the browser's language.
        values: (_, splits) => splits.map((value) => value.toLocaleString("en")),
      },
    ],
    // Drawn from the tallest stack down, so that each colour covers what is below it.
    series: [{}, ...(isBars ? series.toReversed() : series)],
  };
}
/** Days where the chart shows more than one. */
const momentWords = (moments) => (seconds) =>
  (moments.at(-1) - moments[0] > 2 * 86_400 ? day : clock).format(seconds * 1000);
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000];

function draw(figure) {
  const plot = figure.querySelector(".plot");
  if (plot === null || figure.querySelector("table") === null) return;
  const table = readTable(figure);
  const isBars = figure.dataset.kind === "bars";
  const lists = isBars ? stacked(table.columns).toReversed() : table.columns.map(({ values }) => values);
  const data = [table.moments, ...lists];
  const width = plot.clientWidth;
  const looks = JSON.stringify([
    table.columns.map(({ name, key }) => [name, colour(`chart-${key}`)]),
    table.moments[1] - table.moments[0],
  ]);
  const known = drawn.get(plot);
  if (known?.looks === looks && known.width === width) {
    known.chart.setData(data);
    return;
  }
  known?.chart.destroy();
  const chart = new uPlot(options(figure, table, width), data, plot);
  drawn.set(plot, { chart, looks, width });
}

function drawAll() {
  if (typeof uPlot === "undefined") return;
  for (const plot of drawn.keys()) if (!plot.isConnected) drawn.delete(plot);
  for (const figure of document.querySelectorAll("figure.chart")) draw(figure);
}

drawAll();
addEventListener("resize", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
