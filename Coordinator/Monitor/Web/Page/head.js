// The head of the page: which run this is, how far it is, its newest figures, and how it ended.
import { count, digits, percent, longTime, duration, make, put } from "./format.js";
import { last } from "./curves.js";

const words = { starting: "starting", running: "running", finished: "finished", stopped: "stopped", failed: "failed" };
const $ = (id) => document.getElementById(id);
const tiles = new Map();

function tile(name, value, unit) {
  let parts = tiles.get(name);
  if (!parts) {
    const box = make("div", "tile"), figure = make("b"), text = document.createTextNode(""), small = make("small");
    figure.append(text, small);
    box.append(make("span", "", name), figure);
    $("tiles").append(box);
    tiles.set(name, (parts = { text, small }));
  }
  if (parts.text.data !== value) parts.text.data = value;
  put(parts.small, unit);
}

export function drawHead(run) {
  put($("folder"), run.run.folder);
  document.title = `${run.state === "running" ? `step ${count(run.step)}` : words[run.state]}, ${run.run.folder}`;
  put($("description"), run.run.description);
  const state = $("state");
  put(state, words[run.state]);
  state.className = `pill ${run.state}`;

  const total = run.run.totalSteps, share = total > 0 ? Math.min(1, run.step / total) : 0;
  $("progress").firstElementChild.style.width = `${share * 100}%`;
  $("progress").setAttribute("aria-valuenow", (share * 100).toFixed(0));
  const epochs = run.run.samples > 0 ? (run.step * run.run.batch) / run.run.samples : 0;
  put($("where"), `step ${count(run.step)} of ${count(total)}, epoch ${digits(epochs, 3)}${run.term > 1 ? `, term ${run.term}` : ""}`);
  const left = (total - run.step) * run.stepSeconds;
  put($("left"), run.state === "running" && run.stepSeconds > 0 && left > 0 ? `about ${longTime(left)} left` : run.state === "starting" ? "waiting for the first step" : "");

  const c = run.curves;
  tile("Loss", digits(last(c.loss)?.[1]), "nats");
  tile("Accuracy", percent(last(c.accuracy)?.[1]), "training");
  const test = last(c.testAccuracy);
  tile("Test accuracy", percent(test?.[1], 2), test ? `step ${count(test[0])}` : "");
  tile("Speed", run.imagesPerSecond > 0 ? count(run.imagesPerSecond) : "–", "images/s");
  tile("Step time", run.stepSeconds > 0 ? duration(run.stepSeconds * 1000) : "–", "");
  tile("Learning rate", digits(last(c.learningRate)?.[1], 3), "");
  drawEnding(run);
}

function drawEnding(run) {
  const box = $("ending"), isOver = ["finished", "stopped", "failed"].includes(run.state);
  box.hidden = !isOver;
  if (!isOver || box.dataset.state === run.state) return;
  box.dataset.state = run.state;
  box.className = `ending ${run.state}`;
  const title = { finished: `Finished after ${count(run.step)} steps`, stopped: `Stopped after step ${count(run.step)}`, failed: `Failed after step ${count(run.step)}` }[run.state];
  box.replaceChildren(make("b", "", title));
  if (run.reason && run.state !== "finished") box.append(make("div", "", run.reason));
  if (!run.sha256) return;
  const line = make("div", "", "state sha256 ");
  line.append(make("code", "", run.sha256));
  line.lastChild.id = "sha256";
  box.append(line);
}
