// Search over all settings, and resetting a field to its default.

import { searchable } from "./find.js";

searchable(".links");

document.addEventListener("click", (event) => {
  const { reset, field } = event.target.dataset ?? {};
  if (reset === undefined) return;
  const usual = JSON.parse(reset);
  const form = event.target.closest("form");
  for (const input of form.querySelectorAll(`[name="${CSS.escape(field)}"]`)) {
    if (input.dataset.type === "choice-list") input.checked = (usual ?? []).includes(input.value);
    else if (input.type === "checkbox") input.checked = usual === true;
    else input.value = Array.isArray(usual) ? usual.join("\n") : usual ?? "";
  }
  event.target.remove();
});
