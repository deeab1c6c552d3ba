// The page for backup and restore: saves a backup file, and uploads one.

import { answered, call, Refused, request, save, words } from "./api.js";
import { onSubmit, showTexts } from "./form.js";

const backup = document.getElementById("backup");
const restore = document.getElementById("restore");

async function fetchBackup(form) {
  const { passphrase, again, received } = form.elements;
  if (passphrase.value !== again.value) throw new Refused({ title: words.not_the_same });
  const wish = { passphrase: passphrase.value, received: received.checked };
  await save(await answered("/backup", request("POST", wish)));
  form.reset();
}

async function handIn(form) {
  if (!confirm(form.dataset.ask)) return;
  const content = new FormData();
  content.append("passphrase", form.elements.passphrase.value);
  content.append("backup", form.elements.backup.files[0]);
  const done = await call("POST", "/restore", content);
  form.hidden = true;
  showTexts(document.getElementById("restored"), done);
}

onSubmit(backup, fetchBackup);
onSubmit(restore, handIn);
