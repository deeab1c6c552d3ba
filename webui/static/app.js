// The script of every page.

import * as form from "./form.js";
import * as live from "./live.js";

form.start();
live.start();

// Keeps at most one menu open; a click elsewhere and Escape close it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest(".menu > div button, .menu > div a")) menu.open = false;
  }
});

// A menu that would leave the window opens to its other side.
document.addEventListener("toggle", ({ target }) => {
  const box = target.matches("details.menu[open]") && target.querySelector("div");
  if (!box) return;
  box.classList.remove("back");
  box.classList.toggle("back", box.getBoundingClientRect().right > document.documentElement.clientWidth);
}, true);

// Forms that buttons open ([data-open]: the form's id), one at a time. Escape closes one; its button has the focus then.
const openers = () => [...document.querySelectorAll("[data-open]")];
const opened = (button) => document.getElementById(button.dataset.open);

function tellOpened() {
  for (const button of openers()) {
    button.setAttribute("aria-controls", button.dataset.open);
    button.setAttribute("aria-expanded", String(!opened(button).hidden));
  }
}
tellOpened();
new MutationObserver(tellOpened).observe(document.body, { subtree: true, childList: true, attributeFilter: ["hidden"] });

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open]");
  if (!button) return;
  const form = opened(button);
  const opens = form.hidden;
  for (const other of openers()) opened(other).hidden = true;
  form.hidden = !opens;
  if (opens) form.querySelector("input, select")?.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  const menu = document.querySelector("details.menu[open]");
  const button = menu ? null : openers().find((each) => !opened(each).hidden);
  if (menu) menu.open = false;
  if (button) opened(button).hidden = true;
  // A button within a menu is not seen until that is opened.
  ((menu ?? button?.closest("details.menu"))?.querySelector("summary") ?? button)?.focus();
});
