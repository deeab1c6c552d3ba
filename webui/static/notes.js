// Notes on the open fax: adding, and removing with "Undo".

import { call, parting, problemOf, words } from "./api.js";
import { onSubmit } from "./form.js";
import { refresh } from "./live.js";
import { notice, refused } from "./notices.js";

const going = new Set();

function hide() {
  for (const note of document.querySelectorAll("#notes li")) note.hidden = going.has(note.dataset.id);
}

async function remove(button) {
  const id = button.closest("li").dataset.id;
  going.add(id);
  hide();
  try {
    const leaving = () => parting("DELETE", button.dataset.removeNote);
    if (await notice(words.note_off, { undo: true, leaving })) await call("DELETE", button.dataset.removeNote);
  } catch (error) {
    refused(problemOf(error));
  }
  going.delete(id);
  await refresh();
  hide();
}

export function start() {
  const form = document.getElementById("new-note");
  if (!form) return;
  onSubmit(form, async () => {
    await call("POST", form.dataset.note, { text: form.elements.text.value });
    form.reset();
    await refresh();
  });
  document.addEventListener("refreshed", hide);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove-note]");
    if (button) remove(button);
  });
}
