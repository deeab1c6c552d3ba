// The doctor's page: requests the findings and shows the worst first.

import { call, Refused } from "./api.js";
import { line, showRefusal } from "./elements.js";

// Time limit, ms: it asks for updates, mail servers and name servers, which may be slow.
const LIMIT_MS = 300_000;
const ORDER = ["broken", "warning", "fine", "skipped"];
const button = document.getElementById("look");
const sum = document.getElementById("sum");
const list = document.getElementById("findings");
const refused = document.getElementById("refused");

function item(finding) {
  const made = document.createElement("li");
  const state = document.querySelector(`template[data-state="${finding.state}"]`).content.cloneNode(true);
  const head = line("p", "", "row");
  head.append(state, line("span", finding.sentence, "grow"));
  made.append(head);
  if (finding.advice) made.append(line("p", finding.advice));
  if (finding.detail) made.append(line("p", finding.detail, "help"));
  return made;
}

async function look() {
  button.disabled = true;
  refused.hidden = true;
  sum.textContent = sum.dataset.looking;
  try {
    const { findings } = await call("GET", "/doctor", undefined, {}, LIMIT_MS);
    findings.sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
    list.replaceChildren(...findings.map(item));
    const ill = findings.filter((each) => each.state === "broken" || each.state === "warning").length;
    sum.textContent = ill === 0 ? sum.dataset.well : ill === 1 ? sum.dataset.one : sum.dataset.ill.replace("{count}", ill);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    sum.textContent = "";
    showRefusal(refused, error.problem);
  } finally {
    button.disabled = false;
  }
}

button.addEventListener("click", look);
look();
