// The hardware test: starts it, shows its progress, and asks its questions.

import { call, problemOf, Refused } from "./api.js";
import { element, showRefusal } from "./elements.js";
import { onSubmit, values } from "./form.js";

const LOOK_EVERY_MS = 1_000;
const start = document.getElementById("start");
const run = document.getElementById("run");
const part = (id) => document.getElementById(id);
const copy = (kind, name) => run.querySelector(`template[data-${kind}="${name}"]`).content.cloneNode(true);

// What the page shows: only changes are drawn again, so that typed text is kept.
let shown = { began_at: null, results: 0, question: "" };

function item(result) {
  const box = start.querySelector(`[name=parts][value="${CSS.escape(result.part)}"]`);
  const words = element("span", [element("b", box?.dataset.word ?? result.part), `: ${result.sentence}`], "grow");
  const made = element("li", element("p", [copy("state", result.outcome), words], "row"));
  for (const [text, kind] of [[result.reason, ""], [result.advice, ""], [result.measured, "help"]]) {
    if (text) made.append(element("p", text, kind));
  }
  return made;
}

function ask(question) {
  const told = JSON.stringify(question);
  if (told === shown.question) return;
  shown.question = told;
  const place = part("question");
  place.hidden = !question;
  if (!question) return;
  place.querySelector("strong").textContent = question.words;
  const field = part("answer").elements.answer;
  field.value = "";
  field.closest("label").hidden = question.kind !== "reads";
  field.required = question.kind === "reads";
  const buttons = place.querySelector(".buttons");
  buttons.replaceChildren(...(question.kind === "does" ? [] : [copy("kind", question.kind)]));
  (question.kind === "reads" ? field : buttons.querySelector("button"))?.focus();
}

function draw(found) {
  const list = part("results");
  if (found.began_at !== shown.began_at) {
    list.replaceChildren();
    shown = { began_at: found.began_at, results: 0, question: "" };
  }
  list.append(...found.results.slice(shown.results).map(item));
  shown.results = found.results.length;
  list.hidden = shown.results === 0;
  ask(found.question);
  const state = found.running ? "running" : found.verdict ?? "ended";
  if (part("sum").dataset.now !== state) part("sum").replaceChildren(copy("state", state));
  part("sum").dataset.now = state;
  part("trouble").textContent = found.trouble;
  part("trouble").hidden = !found.trouble;
  part("stop").hidden = !found.running;
  for (const link of run.querySelectorAll("[data-report]")) link.hidden = found.running || !found.verdict;
  start.hidden = found.running;
  run.hidden = !found.began_at;
}

const refuse = (error) => showRefusal(part("refused"), problemOf(error));

async function look() {
  let running = true;
  try {
    const found = await call("GET", "/hardware-test");
    part("refused").hidden = true;
    running = found.running;
    draw(found);
  } catch (error) {
    refuse(error); // the box may be down for a while: that is one of the tests
  }
  if (running) setTimeout(look, LOOK_EVERY_MS);
}

if (start) {
  onSubmit(start, async (form) => {
    const body = values(form);
    if (!body.parts?.length) throw new Refused({ title: form.dataset.none });
    draw(await call("POST", "/hardware-test", body));
    look();
  });
  onSubmit(part("answer"), async (form, button) => {
    const answer = form.elements.answer.required ? form.elements.answer.value : button.value;
    draw(await call("POST", "/hardware-test/answer", { answer }));
  });
  part("stop").addEventListener("click", async () => {
    try {
      draw(await call("POST", "/hardware-test/stop"));
    } catch (error) {
      refuse(error);
    }
  });
  look();
}
