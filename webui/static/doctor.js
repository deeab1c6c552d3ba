// The doctor's page: requests the findings and shows the worst first.

import { call, problemOf } from "./api.js";
import { element, showRefusal } from "./elements.js";

// Time limit, ms: it asks for updates, mail servers and name servers, which may be slow.
const LIMIT_MS = 300_000;
const ORDER = ["broken", "warning", "fine", "skipped"];
const button = document.getElementById("look");
const sum = document.getElementById("sum");
const list = document.getElementById("findings");
const refused = document.getElementById("refused");

function item(finding) {
  const state = document.querySelector(`template[data-state="${finding.state}"]`).content.cloneNode(true);
  const made = element("li", element("p", [state, element("span", finding.sentence, "grow")], "row"));
  if (finding.advice) made.append(element("p", finding.advice));
  if (finding.detail) made.append(element("p", finding.detail, "help"));
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
    showRefusal(refused, problemOf(error));
    sum.textContent = "";
  } finally {
    button.disabled = false;
  }
}

button.addEventListener("click", look);
look();
