// The encryption of the disk: sends the choice, then shows the progress until the box is back.

import { call, words } from "./api.js";
import { onSubmit, showProblem, values } from "./form.js";

const LOOK_EVERY_MS = 2_000;
const form = document.getElementById("lock");
const working = document.getElementById("lock-working");
const unlock = document.getElementById("unlock");

const pause = () => new Promise((done) => setTimeout(done, LOOK_EVERY_MS));

// Shows and sends only the fields of the chosen option.
function choose() {
  const chosen = form.elements.opened_by.value;
  for (const part of form.querySelectorAll("[data-for]")) {
    part.hidden = part.dataset.for !== chosen;
    for (const field of part.querySelectorAll("input")) field.disabled = part.hidden;
  }
}

async function follow() {
  form.hidden = true;
  if (unlock) unlock.hidden = true;
  working.hidden = false;
  working.focus();
  for (;;) {
    let step;
    try {
      ({ step } = await call("GET", "/disk-lock"));
    } catch {
      // The box is stopped, or restarts.
    }
    if (step === "done" && form.dataset.next) return location.assign(form.dataset.next);
    if (step !== undefined && step !== "working") return location.reload();
    await pause();
  }
}

if (form) {
  form.addEventListener("change", choose);
  choose();
  onSubmit(form, async () => {
    const { again, ...wish } = values(form);
    if (wish.passphrase !== again) return showProblem(form, { title: words.not_the_same });
    if (!confirm(form.dataset.ask)) return;
    await call("POST", "/disk-lock", wish);
    await follow();
  });
  if (form.dataset.step === "working") follow();
}
if (unlock) {
  onSubmit(unlock, async () => {
    if (!confirm(unlock.dataset.ask)) return;
    await call("DELETE", "/disk-lock");
    await follow();
  });
}
