// Search over all settings, and resetting a field to its default.

const find = document.getElementById("find");
find?.addEventListener("input", () => {
  const asked = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of document.querySelectorAll("[data-words]")) {
    const words = item.dataset.words.toLowerCase();
    item.hidden = !asked.every((word) => words.includes(word));
  }
  for (const part of document.querySelectorAll(".links")) part.hidden = !part.querySelector("li:not([hidden])");
});

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
