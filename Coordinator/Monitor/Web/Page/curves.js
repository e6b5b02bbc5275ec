// Which curves there are, and how they are kept: the server's buckets, replaced from where they changed.
import { digits, percent, duration, count } from "./format.js";

export const charts = [
  { id: "loss", title: "Loss", unit: "nats", format: (v) => digits(v), series: [{ curve: "loss", name: "training", colour: "--blue" }, { curve: "testLoss", name: "test", colour: "--orange", dots: true }] },
  { id: "accuracy", title: "Accuracy", unit: "%", format: (v) => percent(v, 2), tick: (v) => percent(v, 0), top: 1, series: [{ curve: "accuracy", name: "training", colour: "--blue" }, { curve: "testAccuracy", name: "test", colour: "--orange", dots: true }] },
  { id: "rate", title: "Speed", unit: "images/s", format: (v) => count(v), zero: true, robust: true, series: [{ curve: "rate", name: "images/s", colour: "--green" }] },
  { id: "stepTime", title: "Step time", unit: "ms", format: duration, zero: true, robust: true, series: [{ curve: "stepTime", name: "step", colour: "--teal" }] },
  { id: "learningRate", title: "Learning rate", unit: "", format: (v) => digits(v), zero: true, series: [{ curve: "learningRate", name: "rate", colour: "--purple" }] },
  { id: "gradNorm", title: "Gradient norm", unit: "before clipping", format: (v) => digits(v), zero: true, series: [{ curve: "gradNorm", name: "norm", colour: "--pink" }] },
];

/** A point is [step, mean] or [step, mean, min, max]. */
export function merge(curves, news) {
  for (const [name, { from, points }] of Object.entries(news)) {
    const known = (curves[name] ??= []);
    known.length = Math.min(known.length, from);
    for (const point of points) known.push(point);
  }
}

export const last = (curve) => (curve && curve.length > 0 ? curve[curve.length - 1] : undefined);

/** Index of the point nearest to a step; -1 without any. */
export function nearest(points, step) {
  let low = 0, high = points.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - points[low - 1][0] < points[low][0] - step ? low - 1 : low;
}

/** Lowest and highest value to show. A few steps that took twenty times as long do not flatten all others. */
export function range(spec, curves) {
  let low = Infinity, high = -Infinity;
  for (const { curve } of spec.series) {
    const means = (curves[curve] ?? []).map((p) => p[1]);
    if (means.length === 0) continue;
    low = Math.min(low, ...means);
    let top = Math.max(...means);
    if (spec.robust && means.length >= 20) {
      const sorted = means.slice().sort((a, b) => a - b);
      top = Math.min(top, sorted[Math.floor(sorted.length * 0.97)] * 1.4);
    }
    high = Math.max(high, top);
  }
  if (!(low <= high)) return [0, 1];
  if (spec.zero) low = Math.min(0, low);
  if (high === low) high = low + (Math.abs(low) * 0.1 || 1);
  const room = (high - low) * 0.06;
  return [spec.zero && low === 0 ? 0 : low - room < 0 && low >= 0 ? 0 : low - room, spec.top !== undefined ? Math.min(spec.top, high + room) : high + room];
}
