// What was typed into a form when its session ended: it is in the form again after signing in, in the same window.

import { changed, isTicked } from "./parts.js";

const KEY = "typed";
const ENDED = ["not_signed_in", "page_stale"];
// What is not kept: secrets, and files, which no script may choose.
const NEVER = "[type=password], [type=file], [type=hidden], [autocomplete=off], button";

const name = (form) => form.id || form.dataset.api;
const who = () => document.querySelector('meta[name="page-token"]')?.dataset.who;
const fields = (form) => [...form.elements].filter((field) => field.name && !field.matches(NEVER));

// Keeps the form if `problem` says that the session has ended, and leads to a new one; whether it does.
export function keep(form, problem) {
  if (!ENDED.includes(problem.code)) return false;
  if (fields(form).some(changed)) {
    const values = fields(form).map((field) => [field.name, isTicked(field) ? field.checked : field.value]);
    sessionStorage.setItem(KEY, JSON.stringify({ who: who(), path: location.pathname, form: name(form), values }));
  }
  // Without a session the page is being left already.
  if (problem.code === "page_stale") location.reload();
  return true;
}

// Puts back what was kept of a form of this page; whether there was something.
export function putBack() {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  if (kept?.path !== location.pathname) return false;
  sessionStorage.removeItem(KEY);
  const form = [...document.forms].find((each) => name(each) === kept.form);
  if (!form || kept.who !== who()) return false;
  form.hidden = false;
  for (let place = form.closest("details"); place; place = place.parentElement.closest("details")) place.open = true;
  for (const more of form.querySelectorAll("details")) more.open = true;
  fields(form).forEach((field, at) => {
    const [name, value] = kept.values[at] ?? [];
    if (name !== field.name) return;
    if (isTicked(field)) field.checked = value;
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return true;
}
