// What was typed into a page whose session has ended: it is there again after signing in, in the same window.

import { changed, isTicked } from "./parts.js";
import { storage } from "./storage.js";

const session = storage("sessionStorage");
const KEY = "typed";
// What is not kept: secrets, and files, which no script may choose.
const NEVER = "[type=password], [type=file], [type=hidden], [data-secret], button";

const name = (form) => form.id || form.dataset.api;
const who = () => document.querySelector('meta[name="page-token"]')?.dataset.who;
const fields = (form) => [...form.elements].filter((field) => field.name && !field.matches(NEVER));

// Keeps what was typed. Scripts with a form of their own ([data-own]) add what they need to the detail of "keeping".
export function keep() {
  const own = {};
  document.dispatchEvent(new CustomEvent("keeping", { detail: own }));
  const forms = [...document.forms].flatMap((form, at) => {
    if (!name(form) || "own" in form.dataset || !fields(form).some(changed)) return [];
    return { at, name: name(form), values: fields(form).map((field) => [field.name, isTicked(field) ? field.checked : field.value]) };
  });
  const typed = forms.length > 0 || Object.keys(own).length > 0;
  const files = [...document.querySelectorAll("[type=file]")].some((field) => field.files.length) || Boolean(own.files);
  if (!typed && !files) return;
  session.setItem(KEY, JSON.stringify({ who: who(), path: location.pathname, forms, own, typed, files }));
}

// What was kept of this page, for the same user; only once.
function kept() {
  const found = JSON.parse(session.getItem(KEY) ?? "null");
  if (found?.path !== location.pathname) return null;
  session.removeItem(KEY);
  return found.who === who() ? found : null;
}
const before = kept();

export const keptOf = (script) => before?.own[script];

// Puts back what was kept of the forms of this page. Returns whether there was something typed, and chosen files.
export function putBack() {
  for (const { at, name: known, values } of before?.forms ?? []) {
    const form = document.forms[at];
    if (form && name(form) === known) putInto(form, values);
  }
  return { typed: before?.typed, files: before?.files };
}

function putInto(form, values) {
  form.hidden = false;
  for (let place = form.closest("details"); place; place = place.parentElement.closest("details")) place.open = true;
  for (const more of form.querySelectorAll("details")) more.open = true;
  fields(form).forEach((field, at) => {
    const [name, value] = values[at] ?? [];
    if (name !== field.name) return;
    if (isTicked(field)) field.checked = value;
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
