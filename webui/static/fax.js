// The page of one fax to send: buttons, and how the call goes while it goes.

import { call, parting, Refused, words } from "./api.js";
import { listen, refresh } from "./live.js";
import { start as startNotes } from "./notes.js";
import { notice } from "./notices.js";
import { start } from "./viewer.js";

const root = document.querySelector("[data-fax]");
const id = Number(root.dataset.id);
start();
startNotes();
document.addEventListener("refreshed", () => start());

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.open) {
    const part = document.getElementById(button.dataset.open);
    part.hidden = !part.hidden;
    part.querySelector("input")?.focus();
  }
  if (button.dataset.erase !== undefined) erase();
  if (!button.dataset.post || (button.dataset.ask && !confirm(button.dataset.ask))) return;
  button.disabled = true;
  try {
    await call("POST", `/faxes/${id}/${button.dataset.post}`, button.dataset.body ? JSON.parse(button.dataset.body) : {});
    await refresh();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(`${error.problem.title} ${error.problem.advice}`);
  } finally {
    button.disabled = false;
  }
});

async function erase() {
  const address = `/faxes/${id}/erase`;
  root.hidden = true;
  const leaving = () => parting("POST", address);
  try {
    if (await notice(words.deleted, { undo: true, leaving })) {
      await call("POST", address);
      location.assign("/sent");
      return;
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(`${error.problem.title} ${error.problem.advice}`);
  }
  root.hidden = false;
}

// From a list, with its key.
if (new URLSearchParams(location.search).has("again")) document.querySelector('[data-open="again"]')?.click();

document.addEventListener("keydown", (event) => {
  if (event.key === "r" && !event.target.matches("input, textarea, select") && !event.ctrlKey && !event.metaKey) {
    document.querySelector('[data-open="again"]')?.click();
  }
});

listen((news) => {
  if (news.kind !== "call.progress" || news.fax_id !== id) return;
  const place = document.getElementById("progress");
  const { event, rate, page } = news.data;
  if (event === "trained" || event === "training") place.textContent = place.dataset.rate.replace("{rate}", rate);
  else if (event === "page_sending") place.textContent = place.dataset.page.replace("{page}", page);
  else if (place.dataset[event]) place.textContent = place.dataset[event];
});
