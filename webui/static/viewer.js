// The page viewer: fit, zoom, turn (remembered for each fax), two side by side, print.

import { storage } from "./storage.js";

const turns = storage("localStorage");
const STEP = 1.25;
const MOST = 4;

export function start(root = document) {
  for (const viewer of root.querySelectorAll(".viewer:not([data-started])")) {
    viewer.dataset.started = "yes";
    const key = `turn ${viewer.dataset.base}`;
    const sheets = viewer.querySelector(".sheets");
    for (const image of sheets.querySelectorAll("img")) {
      image.style.aspectRatio = `${image.getAttribute("width")} / ${image.getAttribute("height")}`;
    }
    let zoom = 1;
    let turn = Number(turns.getItem(key) ?? 0);
    const draw = () => {
      sheets.style.setProperty("--zoom", zoom);
      sheets.dataset.turn = turn;
    };
    const act = {
      fit: () => { zoom = 1; sheets.classList.remove("two-up"); },
      larger: () => { zoom = Math.min(MOST, zoom * STEP); },
      smaller: () => { zoom = Math.max(1 / MOST, zoom / STEP); },
      turn: () => {
        turn = (turn + 1) % 4;
        turns.setItem(key, turn);
      },
      two: () => sheets.classList.toggle("two-up"),
      print: () => print(),
    };
    viewer.addEventListener("click", (event) => {
      const name = event.target.dataset.view;
      if (!name) return;
      act[name]();
      draw();
    });
    document.addEventListener("keydown", (event) => {
      if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
      const name = { "+": "larger", "-": "smaller", "0": "fit", t: "turn", 2: "two" }[event.key];
      if (!name) return;
      act[name]();
      draw();
    });
    draw();
  }
}
