// The page for backup and restore: saves a backup file, and uploads one.

import { answered, Refused, request, save, words } from "./api.js";
import { onSubmit, showTexts } from "./form.js";
import { showHanding, upload } from "./upload.js";

const backup = document.getElementById("backup");
const restore = document.getElementById("restore");
const making = document.getElementById("making");

async function fetchBackup(form) {
  const { passphrase, again, received } = form.elements;
  if (passphrase.value !== again.value) throw new Refused({ title: words.not_the_same });
  const wish = { passphrase: passphrase.value, received: received.checked };
  making.hidden = false;
  try {
    await save(await answered("/backup", request("POST", wish)));
  } finally {
    making.hidden = true;
  }
  form.reset();
}

async function handIn(form) {
  if (!confirm(form.dataset.ask)) return;
  const content = new FormData();
  content.append("passphrase", form.elements.passphrase.value);
  const [file] = form.elements.backup.files;
  content.append("backup", file);
  const done = await upload("/restore", content, (part) => showHanding(form.querySelector(".handing"), [file], part));
  form.hidden = true;
  showTexts(document.getElementById("restored"), done);
}

onSubmit(backup, fetchBackup);
onSubmit(restore, handIn);
