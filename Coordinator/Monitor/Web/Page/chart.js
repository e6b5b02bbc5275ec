// One chart on a canvas: axes with units, a band from the smallest to the largest value, the mean as a line, marks of
// events, and the values under the pointer.
import { ticks, count, short, make } from "./format.js";
import { nearest, range, last } from "./curves.js";

const left = 50, right = 8, top = 8, bottom = 22;
const all = [];
let hovered = null; // the step under the pointer, in every chart at once

export class Chart {
  constructor(spec, into) {
    this.spec = spec;
    this.figure = make("figure", "chart");
    this.figure.id = `chart-${spec.id}`;
    const caption = make("figcaption", "", spec.title);
    if (spec.unit) caption.append(make("small", "", spec.unit));
    if (spec.series.length > 1) {
      const keys = make("span", "keys");
      for (const series of spec.series) {
        const key = make("span", "key", series.name);
        const colour = make("i");
        colour.style.setProperty("--colour", `var(${series.colour})`);
        key.prepend(colour);
        keys.append(key);
      }
      caption.append(keys);
    }
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.tip = make("div", "tip");
    this.tip.hidden = true;
    this.figure.append(caption, this.canvas, this.tip);
    into.append(this.figure);
    this.canvas.addEventListener("pointermove", (e) => this.point(e));
    this.canvas.addEventListener("pointerdown", (e) => this.point(e));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.data = { curves: {}, marks: [] };
    all.push(this);
  }

  update(data) {
    this.data = data;
    const newest = this.spec.series.map((s) => ({ name: s.name, point: last(data.curves[s.curve]) })).filter((s) => s.point);
    this.figure.dataset.points = String((data.curves[this.spec.series[0].curve] ?? []).length);
    this.figure.dataset.last = String(newest[0]?.point[0] ?? 0);
    this.canvas.setAttribute("aria-label", newest.length === 0 ? `${this.spec.title}: nothing yet`
      : `${this.spec.title}: ${newest.map((s) => `${s.name} ${this.spec.format(s.point[1])} at step ${count(s.point[0])}`).join(", ")}`);
    this.draw();
  }

  scale() {
    const { spec, data, canvas } = this;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    let first = Infinity, end = 1;
    for (const { curve } of spec.series) {
      const points = data.curves[curve];
      if (!points?.length) continue;
      first = Math.min(first, points[0].length > 2 ? 1 : points[0][0]);
      end = Math.max(end, last(points)[0]);
    }
    if (!Number.isFinite(first)) first = 0;
    if (first >= end) end = first + 1;
    const [low, high] = range(spec, data.curves);
    const x = (step) => left + ((step - first) / (end - first)) * (width - left - right);
    const y = (value) => top + (1 - (value - low) / (high - low)) * (height - top - bottom);
    const stepAt = (px) => first + ((px - left) / (width - left - right)) * (end - first);
    return { width, height, first, end, low, high, x, y, stepAt };
  }

  draw() {
    const { canvas, spec, data } = this;
    const scale = this.scale();
    if (scale.width === 0) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const pixels = [Math.round(scale.width * ratio), Math.round(scale.height * ratio)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
    const css = getComputedStyle(canvas);
    const colour = (name) => css.getPropertyValue(name).trim();
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, scale.width, scale.height);
    g.font = `11.5px ${css.fontFamily}`;
    if (!spec.series.some((s) => data.curves[s.curve]?.length)) {
      g.fillStyle = colour("--soft");
      g.textAlign = "center";
      g.fillText("nothing yet", scale.width / 2, scale.height / 2);
      return;
    }
    this.axes(g, scale, colour);
    g.save();
    g.beginPath();
    g.rect(left, top - 2, scale.width - left - right + 6, scale.height - top - bottom + 4);
    g.clip();
    this.marks(g, scale, colour);
    for (const series of spec.series) this.series(g, scale, data.curves[series.curve] ?? [], series, colour(series.colour));
    if (hovered !== null) this.hair(g, scale, colour);
    g.restore();
  }

  axes(g, scale, colour) {
    const format = this.spec.tick ?? ((v) => short(v));
    g.textBaseline = "middle";
    g.textAlign = "right";
    g.lineWidth = 1;
    for (const value of ticks(scale.low, scale.high, 5)) {
      const y = Math.round(scale.y(value)) + 0.5;
      if (y < top - 1) continue;
      g.strokeStyle = colour("--grid");
      g.beginPath(); g.moveTo(left, y); g.lineTo(scale.width - right, y); g.stroke();
      g.fillStyle = colour("--soft");
      g.fillText(format(value), left - 7, y);
    }
    g.textBaseline = "alphabetic";
    const steps = ticks(scale.first, scale.end, Math.max(2, Math.floor(scale.width / 75))).filter((s) => Number.isInteger(s));
    for (const step of steps) {
      const x = scale.x(step), half = g.measureText(count(step)).width / 2;
      g.textAlign = x + half > scale.width ? "right" : x - half < left - 8 ? "left" : "center";
      g.fillText(count(step), g.textAlign === "right" ? scale.width - 1 : x, scale.height - 5);
    }
  }

  series(g, scale, points, series, colour) {
    if (points.length === 0) return;
    g.fillStyle = g.strokeStyle = colour;
    if (points.some((p) => p.length > 2)) {
      g.globalAlpha = 0.16;
      g.beginPath();
      for (const p of points) g.lineTo(scale.x(p[0]), scale.y(p[3] ?? p[1]));
      for (let i = points.length - 1; i >= 0; i--) g.lineTo(scale.x(points[i][0]), scale.y(points[i][2] ?? points[i][1]));
      g.fill();
      g.globalAlpha = 1;
    }
    g.lineWidth = 1.6;
    g.lineJoin = "round";
    g.beginPath();
    for (const p of points) g.lineTo(scale.x(p[0]), scale.y(p[1]));
    g.stroke();
    if (series.dots && points.length <= 60 || points.length === 1) for (const p of points) {
      g.beginPath(); g.arc(scale.x(p[0]), scale.y(p[1]), 3, 0, 7); g.fill();
    }
  }

  marks(g, scale, colour) {
    for (const mark of this.data.marks) {
      if (mark.step < scale.first || mark.step > scale.end) continue;
      const x = Math.round(scale.x(mark.step)) + 0.5;
      g.fillStyle = g.strokeStyle = colour(mark.bad ? "--bad" : "--grey");
      g.globalAlpha = 0.55;
      g.lineWidth = 1;
      g.setLineDash([2, 3]);
      g.beginPath(); g.moveTo(x, top); g.lineTo(x, scale.height - bottom); g.stroke();
      g.setLineDash([]);
      g.globalAlpha = 1;
      g.beginPath(); g.moveTo(x - 4, top - 2); g.lineTo(x + 4, top - 2); g.lineTo(x, top + 5); g.fill();
    }
  }

  hair(g, scale, colour) {
    const x = Math.round(scale.x(hovered)) + 0.5;
    g.strokeStyle = colour("--soft");
    g.lineWidth = 1;
    g.beginPath(); g.moveTo(x, top); g.lineTo(x, scale.height - bottom); g.stroke();
    for (const series of this.spec.series) {
      const points = this.data.curves[series.curve] ?? [], at = nearest(points, hovered);
      if (at < 0) continue;
      g.fillStyle = colour(series.colour);
      g.beginPath(); g.arc(scale.x(points[at][0]), scale.y(points[at][1]), 3.5, 0, 7); g.fill();
    }
  }

  point(event) {
    const scale = this.scale();
    const px = event.clientX - this.canvas.getBoundingClientRect().left;
    const main = this.data.curves[this.spec.series[0].curve] ?? [];
    const at = nearest(main, scale.stepAt(px));
    if (at < 0 || px < left - 6) return this.leave();
    hovered = main[at][0];
    for (const chart of all) chart.draw();
    this.say(scale, px);
  }

  say(scale, px) {
    const lines = [make("b", "", `step ${count(hovered)}`)];
    for (const series of this.spec.series) {
      const points = this.data.curves[series.curve] ?? [], at = nearest(points, hovered);
      if (at < 0) continue;
      const [step, mean, min, max] = points[at];
      const where = step === hovered ? "" : ` (step ${count(step)})`;
      const span = min === undefined ? "" : `, ${this.spec.format(min)} to ${this.spec.format(max)}`;
      lines.push(make("div", "", `${this.spec.series.length > 1 ? series.name + " " : ""}${this.spec.format(mean)}${span}${where}`));
    }
    const near = this.data.marks.filter((m) => Math.abs(scale.x(m.step) - px) < 6).slice(-2);
    for (const mark of near) lines.push(make("span", "mark-text", mark.sentence));
    this.tip.replaceChildren(...lines);
    this.tip.hidden = false;
    const x = this.canvas.offsetLeft + scale.x(hovered), width = this.tip.offsetWidth;
    this.tip.style.left = `${x + width + 18 > this.figure.clientWidth ? Math.max(4, x - width - 12) : x + 12}px`;
    this.tip.style.top = `${this.canvas.offsetTop + 14}px`;
  }

  leave() {
    hovered = null;
    this.tip.hidden = true;
    for (const chart of all) chart.draw();
  }
}
