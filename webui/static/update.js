// The page for updates: uploads the file, then shows the progress until the box is back.

import { call, isOver, problemOf } from "./api.js";
import { showProblem } from "./form.js";
import { upload } from "./upload.js";

const LOOK_EVERY_MS = 2_000;
const form = document.getElementById("update");
const underWay = document.getElementById("under-way");
const bar = underWay?.querySelector("progress");

const pause = () => new Promise((done) => setTimeout(done, LOOK_EVERY_MS));

function show(step) {
  form.hidden = true;
  underWay.hidden = false;
  for (const part of underWay.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== step;
}

// Until the update was refused, or the box came back.
async function follow() {
  let gone = false;
  for (;;) {
    let step;
    try {
      ({ step } = await call("GET", "/update"));
    } catch {
      gone = true;
      show("starting");
    }
    if (step === "installing" || step === "starting") show(step);
    else if (step === "refused" || (step !== undefined && (gone || step !== "none"))) return location.reload();
    await pause();
  }
}

// The version in the name that the image's build gives to an update, empty under another name.
const versionIn = (name) => /^faxbox-(.+)-(?:amd64|arm64)\b.*\.raucb$/.exec(name)?.[1] ?? "";

function isOlder(one, other) {
  const [ones, others] = [one, other].map((version) => version.match(/\d+/g)?.map(Number) ?? []);
  const at = ones.findIndex((number, index) => number !== (others[index] ?? 0));
  return at >= 0 && ones[at] < (others[at] ?? 0);
}

function question(file) {
  const { ask, askOlder, running } = form.dataset;
  const version = versionIn(file.name);
  return isOlder(version, running) ? askOlder.replace("{version}", version) : ask;
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = form.elements.file.files;
  if (!confirm(question(file))) return;
  form.querySelector(".problem").hidden = true;
  show("sending");
  underWay.focus();
  try {
    await upload("/update", file, (part) => { bar.value = 100 * (part ?? 1); });
    await follow();
  } catch (error) {
    const problem = problemOf(error);
    form.hidden = false;
    underWay.hidden = true;
    if (!isOver(problem)) showProblem(form, problem);
  }
});

if (form?.dataset.step === "installing" || form?.dataset.step === "starting") follow();
