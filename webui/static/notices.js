// Short notices at the foot of the page: what was done, with "Undo" for a while if possible.

import { words } from "./api.js";
import { element, plainButton } from "./elements.js";

const PLAIN_MS = 4_000;
// Of what can be undone, and of what takes longer to read.
export const LONG_MS = 10_000;
// The key that undoes the last action: without a mouse, the button could not be reached in time.
const UNDO_KEY = "z";

// Shows a text, or a list of texts and elements, until the returned function is called.
export function standing(content) {
  const box = drawn(content);
  return () => box.remove();
}

function drawn(content) {
  const box = element("p", content, "notice");
  document.getElementById("notices").append(box);
  return box;
}

// Shows `text` for `ms`. With `undo`, offers to undo for ten seconds; returns true if the action was not undone. When the page
// is left before that, `leaving` is called.
export function notice(text, { undo = false, leaving = null, ms = undo ? LONG_MS : PLAIN_MS } = {}) {
  const box = drawn(text);
  return new Promise((resolve) => {
    const end = (kept) => {
      clearTimeout(timer);
      if (leaving) removeEventListener("pagehide", leaving);
      box.remove();
      resolve(kept);
    };
    const timer = setTimeout(end, ms, true);
    if (leaving) addEventListener("pagehide", leaving, { once: true });
    if (undo) {
      const button = plainButton(words.undo, () => end(false));
      button.setAttribute("aria-keyshortcuts", UNDO_KEY);
      box.append(" ", button);
    }
  });
}

// Shows why the box refused something, with every part of the request that was wrong.
export function refused(problem) {
  const texts = [problem.title, problem.advice, ...(problem.errors ?? []).map((fault) => fault.problem)];
  notice([...new Set(texts)].filter(Boolean).join(" "), { ms: LONG_MS });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== UNDO_KEY || event.altKey || event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  const last = [...document.querySelectorAll("#notices button[aria-keyshortcuts]")].at(-1);
  if (!last) return;
  event.preventDefault();
  last.click();
});
