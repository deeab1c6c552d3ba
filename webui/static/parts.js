// Replaces a part of the page by its new version, but keeps what the reader is doing there: the focus, open menus and
// forms, and text typed into them.

const REACHABLE = "a[href], button, input, select, textarea, summary";
const FIELDS = "form[data-api] :is(input, textarea, select)";

export function replacePart(part, fresh) {
  const place = placeOfFocus(part);
  const menus = [...part.querySelectorAll("details[id][open]")].map((each) => each.id);
  const forms = [...part.querySelectorAll("form[id]:not([hidden])")].map((each) => each.id);
  const typed = [...part.querySelectorAll(FIELDS)].filter(changed);
  part.replaceWith(fresh);
  for (const id of menus) document.getElementById(id)?.setAttribute("open", "");
  for (const id of forms) document.getElementById(id)?.removeAttribute("hidden");
  for (const field of typed) {
    const other = [...fresh.querySelectorAll(FIELDS)].find((each) => isSame(each, field));
    if (!other) continue;
    other.value = field.value;
    if ("checked" in field) other.checked = field.checked;
  }
  focus(fresh, place);
}

export const isTicked = (field) => ["checkbox", "radio"].includes(field.type);

export function changed(field) {
  if (isTicked(field)) return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}

const isSame = (one, other) =>
  one.name === other.name && one.form.dataset.api === other.form.dataset.api &&
  (one.type !== "radio" || one.value === other.value);

// Finds the focus again by its id, by its row, or by its position.
function placeOfFocus(part) {
  const here = document.activeElement;
  if (!part.contains(here)) return null;
  const row = here.closest("[data-id]");
  const within = row && part.contains(row) ? row : part;
  return { id: here.id, row: within.dataset.id, at: [...within.querySelectorAll(REACHABLE)].indexOf(here) };
}

function focus(part, place) {
  if (!place) return;
  const within = place.row === undefined ? part : part.querySelector(`[data-id="${CSS.escape(place.row)}"]`);
  const found = (place.id && document.getElementById(place.id)) || within?.querySelectorAll(REACHABLE)[place.at];
  found?.focus({ preventScroll: true });
}
