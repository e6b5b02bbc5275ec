// Listens to the run and draws it. The first message tells everything; each later one replaces what it holds. When the
// connection ends the page asks again until somebody answers, and begins anew with what it is told.
import { Chart } from "./chart.js";
import { charts as specs, merge } from "./curves.js";
import { drawHead } from "./head.js";
import { drawNodes } from "./nodes.js";
import { drawFeed, clearFeed, isBad } from "./feed.js";
import { refreshSteps, repaint } from "./waterfall.js";

const silence = 15_000, traceEvery = 2_000, maxMarks = 100;
const charts = specs.map((spec) => new Chart(spec, document.getElementById("charts")));
const link = document.getElementById("link");
let run = null, source = null, heardAt = 0, tries = 0, isDrawing = false, isFetching = false;

const isOver = () => run !== null && ["finished", "stopped", "failed"].includes(run.state);

function say(kind, text) {
  link.className = `link ${kind}`;
  link.textContent = text;
}

function take(news, isWhole) {
  if (isWhole) {
    run = { curves: {}, marks: [] };
    clearFeed();
  }
  if (run === null) return;
  const { curves, marks, ...rest } = news;
  merge(run.curves, curves);
  const newest = run.marks.length > 0 ? run.marks[run.marks.length - 1].number : 0;
  run.marks = [...run.marks, ...marks.filter((m) => m.number > newest).map((m) => ({ ...m, bad: isBad(m.kind) }))].slice(-maxMarks);
  Object.assign(run, rest);
  drawFeed(run.events);
  if (!isDrawing) {
    isDrawing = true;
    requestAnimationFrame(draw);
  }
}

function draw() {
  isDrawing = false;
  drawHead(run);
  drawNodes(run.nodes);
  for (const chart of charts) chart.update(run);
  document.body.dataset.state = run.state;
  document.body.dataset.step = String(run.step);
}

function listen() {
  source?.close();
  source = new EventSource("/api/events");
  heardAt = Date.now();
  const hear = (isWhole) => (event) => {
    heardAt = Date.now();
    tries = 0;
    take(JSON.parse(event.data), isWhole);
    if (isOver()) {
      source.close();
      say("closed", "the run is over");
    } else say("live", "live");
    if (isWhole || isOver()) steps();
  };
  source.addEventListener("all", hear(true));
  source.addEventListener("tick", hear(false));
  source.addEventListener("idle", () => (heardAt = Date.now()));
  source.addEventListener("error", () => {
    if (isOver()) return;
    source.close();
    say("lost", "connection lost, trying again");
    setTimeout(listen, Math.min(5_000, 250 * 2 ** tries++));
  });
}

async function steps() {
  if (run === null || isFetching || document.visibilityState !== "visible") return;
  isFetching = true;
  await refreshSteps(run.traced, run.step).catch(() => {});
  isFetching = false;
}

async function watchSteps() {
  await steps();
  if (!isOver()) setTimeout(watchSteps, traceEvery);
}

// A connection that died without a word, behind a proxy or a sleeping laptop.
setInterval(() => {
  if (!isOver() && source?.readyState === EventSource.OPEN && Date.now() - heardAt > silence) listen();
}, 3_000);

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) chart.draw();
  repaint();
});
new ResizeObserver(repaint).observe(document.getElementById("steps"));
listen();
setTimeout(watchSteps, traceEvery);
