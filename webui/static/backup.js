// The page for backup and restore: saves a backup file, and uploads one.

import { call, headers, Refused, save, words } from "./api.js";
import { onSubmit } from "./form.js";

const backup = document.getElementById("backup");
const restore = document.getElementById("restore");

async function fetchBackup(form) {
  const { passphrase, again, received } = form.elements;
  if (passphrase.value !== again.value) throw new Refused({ title: words.not_the_same });
  const answer = await fetch("/api/v1/backup", {
    method: "POST",
    headers: { ...headers(), "Content-Type": "application/json" },
    body: JSON.stringify({ passphrase: passphrase.value, received: received.checked }),
  });
  if (!answer.ok) throw new Refused(await answer.json());
  await save(answer);
  form.reset();
}

async function handIn(form) {
  if (!confirm(form.dataset.ask)) return;
  const content = new FormData();
  content.append("passphrase", form.elements.passphrase.value);
  content.append("backup", form.elements.backup.files[0]);
  const done = await call("POST", "/restore", content);
  const part = document.getElementById("restored");
  for (const place of part.querySelectorAll("[data-text]")) place.textContent = done[place.dataset.text];
  form.hidden = true;
  part.hidden = false;
  part.focus();
}

onSubmit(backup, fetchBackup);
onSubmit(restore, handIn);
