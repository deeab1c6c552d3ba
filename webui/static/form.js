// Forms that call the interface: <form data-api="PATCH /me">.
//   data-then: "reload", or an address to go to; without it the form says "Saved.", or the text of data-said
//   data-show="ID": shows that part afterwards, with its [data-list="NAME"] filled from the answer; data-hide hides one
//   data-type of a field: number, list (one entry a line, or separated by commas); a checkbox is true or false
//   data-optional: omitted when empty; data-null: null when empty

import { call, isOver, problemOf, words } from "./api.js";
import { element } from "./elements.js";
import { look } from "./live.js";
import { LONG_MS, notice, refused } from "./notices.js";
import { putBack } from "./typed.js";

export function values(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    const value = read(field);
    if (value === undefined) continue;
    const steps = field.name.split(".");
    let place = body;
    // "files.0.name" is an entry of a list.
    steps.slice(0, -1).forEach((step, at) => {
      place = place[step] ??= /^\d+$/.test(steps[at + 1]) ? [] : {};
    });
    const last = steps.at(-1);
    if (field.dataset.type === "choice-list") {
      place[last] ??= [];
      if (field.checked) place[last].push(last.endsWith("_ids") ? Number(field.value) : field.value);
    } else {
      place[last] = value;
    }
  }
  return body;
}

// What the page was loaded with.
function loadedValues(form) {
  const loaded = form.cloneNode(true);
  loaded.reset();
  return values(loaded);
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// What differs from what the page was loaded with, and hidden fields: of a change by somebody else the rest stays.
function changes(form) {
  const body = values(form);
  const before = loadedValues(form);
  const hidden = new Set([...form.querySelectorAll("input[type=hidden]")].map((field) => field.name.split(".")[0]));
  for (const name of Object.keys(body)) {
    if (!hidden.has(name) && isSame(body[name], before[name])) delete body[name];
  }
  return body;
}

// Asks before a change replaces what somebody else has written into the same field since the page was loaded.
async function mayReplace(form, body) {
  const fresh = await look(location.href);
  const other = fresh?.forms[[...document.forms].indexOf(form)];
  if (other?.dataset.api !== form.dataset.api) return true;
  const [before, now] = [loadedValues(form), values(other)];
  const theirs = Object.keys(body).filter((name) => name in now && !isSame(now[name], before[name]) && !isSame(now[name], body[name]));
  const told = theirs.map((name) => `${labelOf(fieldOf(form, name))}: ${[now[name] ?? ""].flat().join(", ")}`);
  return !told.length || confirm(words.replace.replace("{fields}", told.join("\n")));
}

function labelOf(field) {
  const label = field.closest("fieldset")?.querySelector("legend") ?? field.labels[0];
  return [...label.childNodes].map((part) => (part.nodeType === Node.TEXT_NODE ? part.data.trim() : "")).find(Boolean);
}

// What the form has now is what the box has.
function settle(form) {
  for (const field of form.elements) {
    for (const option of field.options ?? []) option.defaultSelected = option.selected;
    if (field.type === "checkbox" || field.type === "radio") field.defaultChecked = field.checked;
    else if (field.type !== "password" && "defaultValue" in field) field.defaultValue = field.value;
  }
}

function read(field) {
  if (field.type === "checkbox" && field.dataset.type !== "choice-list") return field.checked;
  const text = field.value;
  if (text === "" && "optional" in field.dataset) return undefined;
  if (text === "" && "null" in field.dataset) return null;
  switch (field.dataset.type) {
    case "number":
      return text.trim() === "" ? null : Number(text.replace(",", "."));
    case "list":
      return entries(text);
    case "number-list":
      return entries(text).map(Number);
    default:
      return text;
  }
}

const entries = (text) => text.split(/[\n,]/).map((entry) => entry.trim()).filter(Boolean);

export function showProblem(form, problem) {
  const box = form.querySelector(".problem");
  clearFaults(form);
  const parts = [element("strong", problem.title), element("p", problem.advice ?? "")];
  for (const fault of problem.errors ?? []) {
    const field = fieldOf(form, fault.path);
    if (field) mark(field, fault.problem);
    else if (fault.problem !== problem.title) parts.push(element("p", fault.problem));
  }
  if (!box) return refused(problem);
  box.replaceChildren(...parts.filter((part) => part.textContent));
  box.hidden = false;
  (form.querySelector("[aria-invalid=true]") ?? box).focus?.();
}

function fieldOf(form, path) {
  const plain = path.replace(/\[\d+\]/g, "");
  return [...form.elements].find(
    (field) => field.name && (field.name === plain || plain.endsWith(`.${field.name}`)),
  );
}

function mark(field, text) {
  field.setAttribute("aria-invalid", "true");
  const help = element("span", text, "fault");
  help.id = `fault-${field.name}`;
  field.after(help);
  field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${help.id}`.trim());
}

function clearFaults(form) {
  for (const help of form.querySelectorAll(".fault")) help.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const box = form.querySelector(".problem");
  if (box) box.hidden = true;
}

// For a form that is sent by its page's own script: shows refusals in the form.
export function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.querySelector(".problem").hidden = true;
    return guarded(form, event.submitter, action);
  });
}

async function guarded(form, button, action) {
  if (button) button.disabled = true;
  try {
    await action(form, button);
  } catch (error) {
    const problem = problemOf(error);
    if (!isOver(problem)) showProblem(form, problem);
  } finally {
    if (button) button.disabled = false;
  }
}

// Forms whose page is being left: a second press while the next page loads does not send them again.
let leaving = new WeakSet();

addEventListener("pageshow", (event) => {
  if (event.persisted) leaving = new WeakSet();
});

async function submit(event) {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  if (leaving.has(form)) return;
  if (form.dataset.ask && !confirm(form.dataset.ask)) return;
  await guarded(form, event.submitter, async () => {
    const [method, path] = form.dataset.api.split(" ");
    const body = method === "DELETE" ? undefined : method === "PATCH" ? changes(form) : values(form);
    if (method === "PATCH" && !(await mayReplace(form, body))) return;
    const answer = await call(method, path, body);
    clearFaults(form);
    if (method === "PATCH") settle(form);
    if (form.dataset.then) leaving.add(form);
    after(form, answer);
  });
}

function after(form, answer) {
  const { then, show, hide } = form.dataset;
  if (hide) document.getElementById(hide).hidden = true;
  if (show) {
    const part = document.getElementById(show);
    for (const place of part.querySelectorAll("[data-list]")) {
      place.replaceChildren(...answer[place.dataset.list].map((text) => element("li", text)));
    }
    const here = part.querySelector("#here");
    if (here) here.textContent = location.origin;
    showTexts(part, answer);
  }
  if (then === "reload") location.reload();
  else if (then) location.assign(then.replace(/\{([\w.]+)\}/, (_, path) => path.split(".").reduce((at, step) => at?.[step], answer) ?? ""));
  else if (!show) {
    notice(form.dataset.said ?? words.saved);
    putAway(form);
  }
}

// Shows a part with its [data-text="NAME"] filled from the answer.
export function showTexts(part, answer) {
  for (const place of part.querySelectorAll("[data-text]")) place.textContent = answer[place.dataset.text];
  part.hidden = false;
  part.focus();
}

// Closes a form that a button opened, so that a second press does not do the same again.
function putAway(form) {
  const button = form.id && document.querySelector(`[data-open="${form.id}"]`);
  if (!button) return;
  form.hidden = true;
  form.reset();
  (button.closest("details.menu")?.querySelector("summary") ?? button).focus();
}

export function start() {
  const { typed, files } = putBack();
  if (typed) notice(words.typed, { ms: LONG_MS });
  if (files) notice(words.files_again, { ms: LONG_MS });
  document.addEventListener("submit", submit);
}
