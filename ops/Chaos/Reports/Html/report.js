"use strict";
// The page says everything without this: it adds a readout under the pointer, a filter and a copy button.
const data = JSON.parse(document.getElementById("data").textContent);
for (const plot of document.querySelectorAll(".plot[data-series]")) {
  const rows = data[plot.dataset.series];
  const cursor = plot.querySelector(".cursor"), readout = plot.querySelector(".readout");
  const move = event => {
    const box = plot.getBoundingClientRect();
    const step = data.first + (event.clientX - box.left) / box.width * (data.last - data.first);
    let best = rows[0];
    for (const row of rows) if (Math.abs(row[0] - step) < Math.abs(best[0] - step)) best = row;
    cursor.style.left = (best[0] - data.first) / Math.max(1, data.last - data.first) * 100 + "%";
    readout.textContent = "step " + best[0] + ": " + best[1] + plot.dataset.unit + (best[2] === null ? "" : ", undisturbed " + best[2] + plot.dataset.unit);
    cursor.style.display = readout.style.display = "block";
  };
  plot.addEventListener("pointermove", move);
  plot.addEventListener("pointerleave", () => { cursor.style.display = readout.style.display = "none"; });
}
for (const input of document.querySelectorAll("input.filter")) {
  input.hidden = false;
  input.addEventListener("input", () => {
    const word = input.value.toLowerCase();
    for (const row of document.querySelectorAll("#events tbody tr")) row.hidden = !row.textContent.toLowerCase().includes(word);
  });
}
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.of).textContent);
    button.textContent = "copied";
  });
}
addEventListener("beforeprint", () => { for (const fold of document.querySelectorAll("details")) fold.open = true; });
