// The field #find: hides the parts of the page whose words ([data-words]) lack one that is typed, and `groups` without
// any part left.

export function searchable(groups) {
  const find = document.getElementById("find");
  find?.addEventListener("input", () => {
    const asked = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const part of document.querySelectorAll("[data-words]")) {
      const words = part.dataset.words.toLowerCase();
      part.hidden = !asked.every((word) => words.includes(word));
    }
    for (const group of document.querySelectorAll(groups)) group.hidden = !group.querySelector("[data-words]:not([hidden])");
  });
}
