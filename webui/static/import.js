// Contacts from a file: shows the changes of an import, then imports as shown.

import { call, Refused } from "./api.js";
import { element } from "./elements.js";
import { onSubmit } from "./form.js";
import { showHanding, upload } from "./upload.js";

const words = JSON.parse(document.getElementById("import-words").textContent);
const choose = document.getElementById("choose");
const plan = document.getElementById("plan");
const steps = document.getElementById("steps");
const now = document.getElementById("import-now");
// Entries that need attention come first; unchanged ones are only counted.
const ORDER = ["refused", "duplicate", "changed", "new"];
const MARKS = { refused: ["bad", "✕"], duplicate: ["wait", "●"], changed: ["", "✎"], new: ["good", "✓"] };
let shown = null;

const fill = (word, values) => words[word].replace(/\{(\w+)\}/g, (_, name) => values[name]);

function content(fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", choose.elements.file.files[0]);
  return body;
}

const owner = () => ({ owner: choose.elements.owner?.value ?? "" });

function details(step) {
  const lines = step.changes.map(({ field, before, after }) =>
    element("span", [`${words[`field_${field}`]}: `, ...(before ? [element("s", before), " → "] : []), element("b", after)], "faint"),
  );
  for (const other of step.others) {
    const word = `${other.alike}_${other.line === null ? "of" : "in_line"}`;
    lines.push(element("span", fill(word, { ...other, name: other.name || other.number }), "faint"));
  }
  if (step.groups.length) lines.push(element("span", fill("joins", { names: step.groups.join(", ") }), "faint"));
  if (step.reason) lines.push(element("span", step.reason, "faint"));
  return lines;
}

function row(step) {
  const [kind, mark] = MARKS[step.fate];
  const take = document.createElement("input");
  take.type = "checkbox";
  take.value = step.line;
  take.checked = step.fate === "new" || step.fate === "changed";
  take.disabled = step.fate === "refused";
  take.setAttribute("aria-label", fill("take", step));
  const sign = element("span", mark);
  sign.setAttribute("aria-hidden", "true");
  const who = [element("b", step.name || step.number || "–")];
  if (step.company && step.company !== step.name) who.push(element("span", step.company, "faint"));
  if (step.name) who.push(element("span", step.number, "faint"));
  const line = element("td", String(step.line), "number");
  line.dataset.head = document.getElementById("line-head").textContent;
  return element("tr", [
    element("td", take),
    line,
    element("td", who, "stacked"),
    element("td", [element("span", [sign, " ", words[step.fate]], `state ${kind}`), ...details(step)], "stacked"),
  ]);
}

function count() {
  const chosen = steps.querySelectorAll("input:checked").length;
  now.disabled = chosen === 0;
  now.textContent = chosen === 0 ? words.import_none : chosen === 1 ? words.import_one : fill("import_many", { count: chosen });
}

function show(answer) {
  shown = answer;
  const counted = [...ORDER, "same"].filter((fate) => answer.counts[fate]);
  document.getElementById("counts").textContent = counted.map((fate) => fill(`count_${fate}`, { count: answer.counts[fate] })).join(" · ");
  const wanted = answer.steps.filter((step) => step.fate !== "same");
  wanted.sort((a, b) => ORDER.indexOf(a.fate) - ORDER.indexOf(b.fate) || a.line - b.line);
  steps.replaceChildren(...wanted.map(row));
  count();
  choose.hidden = true;
  plan.hidden = false;
  plan.focus();
}

onSubmit(choose, async () => {
  const tell = (part) => showHanding(choose.querySelector(".handing"), [choose.elements.file.files[0]], part);
  show(await upload("/contacts/import", content(owner()), tell));
});
onSubmit(document.getElementById("import"), async () => {
  const lines = [...new Set([...steps.querySelectorAll("input:checked")].map((take) => take.value))].join(",");
  try {
    await call("POST", "/contacts/import", content({ ...owner(), plan: shown.plan, lines }));
  } catch (error) {
    // Shows the changes as of now, with a sentence about that.
    if (error instanceof Refused && error.problem.code === "contacts_changed") {
      show(await call("POST", "/contacts/import", content(owner())));
    }
    throw error;
  }
  location.assign("/settings/contacts");
});
steps.addEventListener("change", count);
document.getElementById("another").addEventListener("click", () => {
  plan.hidden = true;
  choose.hidden = false;
  choose.reset();
  choose.elements.file.focus();
});
