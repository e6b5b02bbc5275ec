// A row per worker and shard. Rows are made once; afterwards only what changed is written.
import { count, percent, bytes, longTime, make, put } from "./format.js";

const body = document.getElementById("nodes");
const rows = new Map();

function rowOf(name) {
  let row = rows.get(name);
  if (row) return row;
  const line = make("tr"), state = make("span", "state"), bar = make("i"), share = make("span");
  line.dataset.node = name;
  const name_ = make("td", "name", name), speed = make("td", "n"), lag = make("td", "n"), memory = make("td", "n");
  const stateCell = make("td", "state-cell"), shareCell = make("td"), both = make("div", "share");
  stateCell.append(state);
  both.append(bar, share);
  shareCell.append(both);
  line.append(name_, stateCell, shareCell, speed, lag, memory);
  body.append(line);
  rows.set(name, (row = { line, state, bar, share, speed, lag, memory }));
  return row;
}

/** How far behind: silence counts more than steps. */
function lagOf(node) {
  if (["lost", "left", "quarantined"].includes(node.state)) return "–";
  if (node.heard > 3) return `silent for ${longTime(node.heard)}`;
  if (node.lag === undefined) return "–";
  return node.lag === 0 ? "0" : `${count(node.lag)} ${node.lag === 1 ? "step" : "steps"}`;
}

export function drawNodes(nodes) {
  const here = new Set(nodes.map((n) => n.name));
  for (const [name, row] of rows) {
    if (here.has(name)) continue;
    row.line.remove();
    rows.delete(name);
  }
  nodes.forEach((node, index) => {
    const row = rowOf(node.name);
    if (body.children[index] !== row.line) body.insertBefore(row.line, body.children[index] ?? null);
    put(row.state, node.state);
    row.state.className = `state ${node.state}`;
    row.line.dataset.state = node.state;
    row.line.className = ["lost", "left", "quarantined"].includes(node.state) ? "out" : "";
    const hasShare = node.share !== undefined;
    row.bar.style.visibility = hasShare ? "visible" : "hidden";
    row.bar.style.backgroundSize = `${(node.share ?? 0) * 100}% 100%`;
    put(row.share, hasShare ? percent(node.share, 0) : "–");
    put(row.speed, node.speed === undefined ? "–" : count(node.speed));
    put(row.lag, lagOf(node));
    put(row.memory, bytes(node.memory));
  });
}
