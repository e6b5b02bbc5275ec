// What happened, in sentences, newest first. The list never grows beyond its bound.
import { clock, make } from "./format.js";

const bound = 200;
const list = document.getElementById("feed");
const bad = new Set(["worker-lost", "worker-hung", "worker-quarantined", "shard-lost", "failed", "non-finite", "audit-dispute", "checkpoint-failed", "link-lost", "process-ended", "node-unfit"]);
const warn = new Set(["worker-late", "shard-late", "coordinator-paused", "waiting", "commit-waits", "term-waits", "log-waits", "log-cut", "fault", "interrupted", "checkpoint-skipped", "checkpoint-waits", "node-refused"]);
const good = new Set(["finished", "worker-joined", "restored", "took-over", "resumed", "commit-goes-on"]);

export const isBad = (kind) => bad.has(kind) || warn.has(kind);

let newest = 0;

export function clearFeed() {
  list.replaceChildren();
  newest = 0;
}

export function drawFeed(events) {
  for (const event of events) {
    if (event.number <= newest) continue;
    newest = event.number;
    const line = make("li", bad.has(event.kind) ? "bad" : warn.has(event.kind) ? "warn" : good.has(event.kind) ? "good" : "");
    const time = make("time", "", clock(event.time));
    time.dateTime = new Date(event.time).toISOString();
    time.title = event.kind;
    line.append(time, make("p", "", event.sentence));
    list.prepend(line);
    while (list.childElementCount > bound) list.lastElementChild.remove();
  }
}
