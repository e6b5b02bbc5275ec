// Numbers as people read them. One language: figures look the same in every browser.
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export const count = (value) => grouped.format(value);

/** So many significant digits, without an exponent where it can be helped. */
export function digits(value, significant = 4) {
  if (value === undefined || value === null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(Math.min(2, significant - 1)).replace("e+", "e");
  if (size >= 1000) return grouped.format(value);
  const decimals = Math.max(0, Math.min(6, significant - 1 - Math.floor(Math.log10(size))));
  return value.toFixed(decimals);
}

/** For an axis: as few digits as the value has. */
export const short = (value) => digits(value, 3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");

/** Of 0 to 1. */
export const percent = (value, decimals = 1) => (value === undefined || value === null ? "–" : `${(value * 100).toFixed(decimals)} %`);

/** Milliseconds in the unit that fits. */
export function duration(milliseconds) {
  if (milliseconds === undefined || !Number.isFinite(milliseconds)) return "–";
  if (milliseconds < 1) return `${digits(milliseconds * 1000, 3)} µs`;
  if (milliseconds < 1000) return `${digits(milliseconds, 3)} ms`;
  if (milliseconds < 60_000) return `${digits(milliseconds / 1000, 3)} s`;
  return longTime(milliseconds / 1000);
}

/** Seconds as 3 min 20 s. */
export function longTime(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

export function bytes(value) {
  if (value === undefined) return "–";
  if (value >= 1 << 30) return `${digits(value / 2 ** 30, 3)} GiB`;
  return `${digits(value / 2 ** 20, 3)} MiB`;
}

export const clock = (milliseconds) => new Date(milliseconds).toLocaleTimeString("en-GB", { hour12: false });

/** Round values that divide a range into about so many parts. */
export function ticks(low, high, parts) {
  const rough = (high - low) / Math.max(1, parts);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const all = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) all.push(Number((i * step).toPrecision(12)));
  return all;
}

/** Sets text only where it changes: the browser lays out nothing that stays. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
