// The last steps as waterfalls, and the whole trace of the one that is chosen. Traces are fetched while somebody sees
// them, two seconds apart, not sent with every step.
import { count, duration, make, put } from "./format.js";

const shown = 6, laneHeight = 7, maxLanes = 12, maxBars = 400;
const phases = {
  "data wait": "--grey", forward: "--blue", backward: "--orange", "local sum": "--gold", encode: "--gold", send: "--green", receive: "--teal", queue: "--grey",
  reduce: "--purple", "norm round": "--pink", commit: "--bad", apply: "--teal", replicate: "--green", broadcast: "--green", "weights received": "--blue",
};
const containers = new Set(["step", "lease"]);
const $ = (id) => document.getElementById(id);
const known = new Map(); // step -> trace
const rows = new Map();  // step -> row on the page
let chosen = null, seen = new Set();

async function load(step) {
  const answer = await fetch(`/api/trace?step=${step}`);
  return answer.ok ? answer.json() : null;
}

/** The newest steps that are whole: the spans of the very last ones are still on their way. */
export async function refreshSteps(traced, committed) {
  const wanted = traced.filter((s) => s <= committed).slice(-shown);
  if (wanted.length === 0) return;
  for (const step of wanted) {
    const trace = known.get(step);
    if (trace && step < committed - 2 && trace.isOld) continue;
    const fresh = await load(step).catch(() => null);
    if (!fresh || fresh.spans.length === 0) continue;
    fresh.isOld = step < committed - 2;
    known.set(step, fresh);
  }
  for (const step of known.keys()) if (!wanted.includes(step) && step !== chosen) known.delete(step);
  drawSteps(wanted.filter((s) => known.has(s)).reverse());
}

/** The same again, where the width or the colours have changed. */
export const repaint = () => drawSteps([...rows.keys()].sort((a, b) => b - a));

function drawSteps(steps) {
  const box = $("steps");
  for (const [step, row] of rows) if (!steps.includes(step)) { row.button.remove(); rows.delete(step); }
  if (steps.length > 0) box.querySelector("p")?.remove();
  steps.forEach((step, index) => {
    let row = rows.get(step);
    if (!row) {
      const button = make("button", "step"), canvas = make("canvas"), took = make("span", "n");
      button.type = "button";
      button.append(make("span", "", `step ${count(step)}`), canvas, took);
      button.addEventListener("click", () => choose(chosen === step ? null : step));
      rows.set(step, (row = { button, canvas, took }));
    }
    if (box.children[index] !== row.button) box.insertBefore(row.button, box.children[index] ?? null);
    const trace = known.get(step), length = lengthOf(trace);
    put(row.took, duration(length / 1000));
    row.button.setAttribute("aria-label", `Step ${count(step)}, ${duration(length / 1000)}: show its trace`);
    row.button.setAttribute("aria-expanded", String(chosen === step));
    paint(row.canvas, trace, length);
  });
  drawLegend();
}

const rootOf = (trace) => trace.spans.find((s) => s.parent === undefined);
const lengthOf = (trace) => rootOf(trace)?.took || Math.max(1, ...trace.spans.map((s) => s.at + s.took));

function kindOf(track) {
  return track.startsWith("worker-") ? 1 : track.startsWith("ps-") ? 2 : 0;
}

function tracksOf(trace) {
  return [...new Set(trace.spans.map((s) => s.track))].sort((a, b) => kindOf(a) - kindOf(b) || a.length - b.length || (a < b ? -1 : 1));
}

function paint(canvas, trace, length) {
  const tracks = tracksOf(trace).slice(0, maxLanes), height = tracks.length * (laneHeight + 2);
  canvas.style.height = `${height}px`;
  const width = canvas.clientWidth, ratio = Math.min(3, window.devicePixelRatio || 1);
  if (width === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const css = getComputedStyle(canvas), g = canvas.getContext("2d");
  g.scale(ratio, ratio);
  tracks.forEach((track, lane) => {
    const y = lane * (laneHeight + 2);
    g.fillStyle = css.getPropertyValue("--track");
    g.fillRect(0, y, width, laneHeight);
    for (const span of trace.spans) {
      if (span.track !== track || containers.has(span.name)) continue;
      seen.add(span.name);
      g.fillStyle = span.error ? css.getPropertyValue("--bad") : css.getPropertyValue(phases[span.name] ?? "--grey");
      const x = Math.max(0, (span.at / length) * width);
      g.fillRect(x, y, Math.max(1, Math.min(width - x, (span.took / length) * width - 0.5)), laneHeight);
    }
  });
}

function drawLegend() {
  const legend = $("legend");
  for (const name of Object.keys(phases)) {
    if (!seen.has(name) || legend.querySelector(`[data-phase="${name}"]`)) continue;
    const key = make("span", "", name), colour = make("i");
    key.dataset.phase = name;
    colour.style.setProperty("--colour", `var(${phases[name]})`);
    key.prepend(colour);
    legend.append(key);
  }
}

export async function choose(step) {
  chosen = step;
  for (const [other, row] of rows) row.button.setAttribute("aria-expanded", String(other === step));
  const box = $("trace");
  box.hidden = step === null;
  if (step === null) return;
  const trace = await load(step).catch(() => null) ?? known.get(step);
  if (trace && chosen === step) drawTrace(box, trace);
}

function drawTrace(box, trace) {
  const length = lengthOf(trace), head = make("header"), close = make("button", "close", "close"), bars = make("div", "bars");
  head.append(make("b", "", `Step ${count(trace.step)}`), make("span", "soft", `${duration(length / 1000)}, ${count(trace.spans.length)} spans`));
  if (trace.trace) head.append(make("code", "soft", trace.trace));
  close.type = "button";
  close.addEventListener("click", () => choose(null));
  head.append(close);
  let drawn = 0;
  for (const track of tracksOf(trace)) {
    bars.append(make("div", "track-name", track));
    for (const span of trace.spans) {
      if (span.track !== track || ++drawn > maxBars) continue;
      bars.append(bar(span, length));
    }
  }
  box.replaceChildren(head, bars);
  if (drawn > maxBars) box.append(make("p", "soft", `and ${count(drawn - maxBars)} more: ./cluster trace shows all of them`));
}

function bar(span, length) {
  const line = make("div", span.error ? "bar error" : "bar"), lane = make("div", "lane"), fill = make("i");
  const leaf = span.tags["train.leaf"] ?? span.tags["train.leaves"];
  line.append(make("span", "what", span.name + (leaf !== undefined ? `, leaf ${leaf}` : "") + (span.error ? `: ${span.error}` : "")), lane, make("span", "n soft", duration(span.took / 1000)));
  line.title = Object.entries(span.tags).map(([k, v]) => `${k} = ${v}`).join("\n");
  fill.style.left = `${Math.max(0, Math.min(99.5, (span.at / length) * 100))}%`;
  fill.style.width = `${Math.min(100, (span.took / length) * 100)}%`;
  fill.style.setProperty("--colour", `var(${span.error ? "--bad" : phases[span.name] ?? (containers.has(span.name) ? "--soft" : "--grey")})`);
  lane.append(fill);
  return line;
}
