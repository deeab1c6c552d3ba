// The order of a list: rows are moved by their buttons, by Alt with an arrow key, or by dragging.

import { call, problemOf, words } from "./api.js";
import { notice, refused } from "./notices.js";

const table = document.querySelector("[data-order]");
const body = table?.querySelector("tbody");
let dragged = null;

const rows = () => [...body.rows];

function ends() {
  for (const row of rows()) {
    for (const button of row.querySelectorAll("[data-move]")) {
      // Not disabled, so that the focus stays there when a row reaches the end.
      const end = button.dataset.move === "-1" ? body.firstElementChild : body.lastElementChild;
      button.setAttribute("aria-disabled", row === end);
    }
  }
}

async function save(row, before) {
  ends();
  try {
    await call("POST", table.dataset.order, { ids: rows().map((each) => Number(each.dataset.id)) });
    notice(words.moved.replace("{name}", row.cells[0].textContent.trim()).replace("{place}", rows().indexOf(row) + 1));
  } catch (error) {
    refused(problemOf(error));
    body.replaceChildren(...before);
    ends();
  }
}

function move(row, by) {
  const before = rows();
  const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  const focused = document.activeElement;
  if (by < 0) other.before(row);
  else other.after(row);
  focused?.focus();
  save(row, before);
}

if (body) {
  for (const row of rows()) row.draggable = true;
  ends();
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (button) move(button.closest("tr"), Number(button.dataset.move));
  });
  body.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!event.altKey || !by) return;
    event.preventDefault();
    move(event.target.closest("tr"), by);
  });
  let before = [];
  body.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("tr");
    before = rows();
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    dragged?.classList.add("dragged");
  });
  body.addEventListener("dragover", (event) => {
    const over = event.target.closest("tr");
    if (!dragged || !over) return;
    event.preventDefault();
    if (over === dragged) return;
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged);
    else over.after(dragged);
  });
  body.addEventListener("drop", (event) => event.preventDefault());
  body.addEventListener("dragend", () => {
    if (!dragged) return;
    const row = dragged;
    dragged = null;
    row.classList.remove("dragged");
    if (rows().some((each, at) => each !== before[at])) save(row, before);
  });
}
