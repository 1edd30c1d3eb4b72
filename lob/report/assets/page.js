"use strict";
// The page: reads the data once, draws every chart when it comes near the screen, and again in other colours when the reader's scheme or paper asks for it.
const report = {
  data: JSON.parse(document.getElementById("report-data").textContent),
  makers: {},      // by kind of a live part: (place, data) -> {draw, ...}
  live: {},        // what the makers made, by name
  isOnPaper: false,
  config: {displaylogo: false, responsive: true, displayModeBar: false, doubleClick: "reset+autosize", doubleClickDelay: 450},
};
const dark = matchMedia("(prefers-color-scheme: dark)"), coarse = matchMedia("(pointer: coarse)");
const NARROW = 600, PRINT_WIDTH = 330, PRINT_WIDTH_WHOLE = 690, PRINT_HEIGHT = 0.76, SLICE_MS = 40;
const ARRAYS = {i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array};

report.colors = () => report.data.colors[dark.matches && !report.isOnPaper ? "dark" : "paper"];

// "$ink" or "$ink/0.3" as a colour of the scheme in force; all other values are left as they are.
report.paint = function paint(value, colors = report.colors()) {
  if (typeof value === "string") {
    const found = /^\$([a-z]+[0-9]?)(?:\/([0-9.]+))?$/.exec(value);
    if (!found) return value;
    const color = colors[found[1]];
    if (found[2] === undefined) return color;
    const [red, green, blue] = [1, 3, 5].map(i => parseInt(color.slice(i, i + 2), 16));
    return `rgba(${red},${green},${blue},${found[2]})`;
  }
  if (Array.isArray(value)) return typeof value[value.length - 1] === "number" ? value : value.map(item => paint(item, colors));
  if (value !== null && typeof value === "object" && !ArrayBuffer.isView(value) && !("bdata" in value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, paint(item, colors)]));
  }
  return value;
};

// A packed column as a typed array; short ones were written as lists.
report.column = function (packed) {
  if (Array.isArray(packed)) return Float64Array.from(packed, value => value === null ? NaN : value);
  const text = atob(packed.bdata), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new ARRAYS[packed.dtype](bytes.buffer);
};

report.isNarrow = () => window.innerWidth < NARROW && !report.isOnPaper;

report.number = (value, digits = 0) => value.toLocaleString("en-US", {minimumFractionDigits: digits, maximumFractionDigits: digits}).replace("-", "−");

// What every layout gets from the screen it is on: margins, sizes of letters, and no dragging where a finger scrolls the page.
report.fitted = function (layout, place) {
  const narrow = report.isNarrow(), size = report.isOnPaper ? 9 : narrow ? 11 : 13;
  const fitted = {...layout, uirevision: "kept", margin: narrow ? {l: 44, r: 8, t: 34, b: 40} : {l: 56, r: 14, t: 34, b: 46}, dragmode: coarse.matches ? false : "zoom"};
  fitted.font = {...layout.font, size};
  fitted.legend = {...layout.legend, font: {size: size - 1}};
  if (report.isOnPaper) {
    const isAlone = !place.closest(".row") || place.closest("figure").matches(":last-child:nth-child(odd)");
    fitted.width = isAlone ? PRINT_WIDTH_WHOLE : PRINT_WIDTH;
    fitted.height = PRINT_HEIGHT * (parseFloat(place.dataset.height) || 440);
  }
  place.style.height = report.isOnPaper ? `${fitted.height}px` : place.dataset.height ? `${place.dataset.height}px` : "";
  return fitted;
};

report.plot = function (place, figure, fresh) {
  const {data, layout} = report.paint(figure);
  return (fresh ? Plotly.newPlot : Plotly.react)(place, data, report.fitted(layout, place), report.config);
};

const places = [...document.querySelectorAll("[data-chart], [data-live]")], drawn = new Set();

function draw(place) {
  if (drawn.has(place)) return;
  drawn.add(place);
  if (place.dataset.chart) report.plot(place, report.data.charts[place.dataset.chart], true);
  else {
    const {kind, data} = report.data.live[place.dataset.live];
    report.live[place.dataset.live] = report.makers[kind](place, data);
  }
  alike(place);
  if (drawn.size === places.length) finish();
}

function finish() {
  performance.mark("drawn");
  document.documentElement.dataset.drawn = "all";
}

function drawAgain() {
  for (const place of drawn) {
    if (place.dataset.chart) report.plot(place, report.data.charts[place.dataset.chart], false);
    else report.live[place.dataset.live].draw();
    alike(place);
  }
}

// Two charts that are compared have the same axes, as far as these are numbers.
function alike(place) {
  const pair = place.closest(".pair");
  if (!pair) return;
  const both = [...pair.querySelectorAll(".plot")].filter(one => one._fullLayout);
  if (both.length < 2) return;
  const change = {};
  for (const name of ["xaxis", "yaxis"]) {
    const axes = both.map(one => one._fullLayout[name]);
    if (axes.some(axis => axis.type === "category" || axis.autorange === "reversed") || axes[0].type !== axes[1].type) continue;
    change[`${name}.range`] = [Math.min(...axes.map(axis => axis.range[0])), Math.max(...axes.map(axis => axis.range[1]))];
  }
  both.forEach(one => Plotly.relayout(one, change));
}

// What is near the screen first; the rest whenever the page has nothing else to do, a slice at a time.
report.start = function () {
  const watcher = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => draw(entry.target)), {rootMargin: "300px"});
  places.forEach(place => watcher.observe(place));
  const rest = () => {
    const until = performance.now() + SLICE_MS;
    for (const place of places) if (!drawn.has(place) && performance.now() < until) draw(place);
    if (drawn.size < places.length) setTimeout(rest, 16);
  };
  setTimeout(rest, 200);
  dark.addEventListener("change", drawAgain);
  window.addEventListener("beforeprint", () => { report.isOnPaper = true; places.forEach(draw); drawAgain(); });
  window.addEventListener("afterprint", () => { report.isOnPaper = false; drawAgain(); });
  let wasNarrow = report.isNarrow();
  window.addEventListener("resize", () => {
    if (report.isNarrow() !== wasNarrow) { wasNarrow = !wasNarrow; drawAgain(); }
  });
  if (!places.length) finish();
};

// An element with its class, its words and what is in it.
report.element = function (tag, className = "", words = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (words) element.textContent = words;
  element.append(...children);
  return element;
};

report.button = function (words, title, act) {
  const button = report.element("button", "", words);
  button.type = "button";
  button.title = title;
  button.addEventListener("click", act);
  return button;
};
