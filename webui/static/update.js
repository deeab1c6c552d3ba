// The page for updates: uploads the file, then shows the progress until the box is back.

import { call, headers, isOver, problemOf, Refused, refusal, words } from "./api.js";
import { showProblem } from "./form.js";

const LOOK_EVERY_MS = 2_000;
const form = document.getElementById("update");
const underWay = document.getElementById("under-way");

const pause = () => new Promise((done) => setTimeout(done, LOOK_EVERY_MS));

function show(step) {
  form.hidden = true;
  underWay.hidden = false;
  for (const part of underWay.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== step;
}

// Uploads with progress, which fetch() cannot report.
function handOver(file) {
  const request = new XMLHttpRequest();
  const bar = underWay.querySelector("progress");
  request.upload.addEventListener("progress", (event) => {
    bar.value = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
  });
  return new Promise((done, refuse) => {
    request.addEventListener("error", () =>
      refuse(new Refused({ title: words.unreachable, advice: words.unreachable_press })));
    request.addEventListener("load", () => {
      if (request.status === 202) return done();
      try {
        refuse(refusal(JSON.parse(request.responseText)));
      } catch {
        refuse(new Refused({ title: words.wrong, advice: "" }));
      }
    });
    request.open("POST", "/api/v1/update");
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  });
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

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!confirm(form.dataset.ask)) return;
  form.querySelector(".problem").hidden = true;
  show("sending");
  underWay.focus();
  try {
    await handOver(form.elements.file.files[0]);
    await follow();
  } catch (error) {
    const problem = problemOf(error);
    form.hidden = false;
    underWay.hidden = true;
    if (!isOver(problem)) showProblem(form, problem);
  }
});

if (form?.dataset.step === "installing" || form?.dataset.step === "starting") follow();
