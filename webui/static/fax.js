// The page of one fax to send: its buttons, and the live progress of its call.

import { call, problemOf } from "./api.js";
import { listen, refresh } from "./live.js";
import { refused } from "./notices.js";

const root = document.querySelector("[data-fax]");
const id = Number(root.dataset.id);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button?.dataset.post || (button.dataset.ask && !confirm(button.dataset.ask))) return;
  button.disabled = true;
  try {
    await call("POST", `/faxes/${id}/${button.dataset.post}`, button.dataset.body ? JSON.parse(button.dataset.body) : {});
    await refresh();
  } catch (error) {
    refused(problemOf(error));
  } finally {
    button.disabled = false;
  }
});

// Opened from a list by its key.
if (new URLSearchParams(location.search).has("again")) document.querySelector('[data-open="again"]')?.click();

listen((news) => {
  if (news.kind !== "call.progress" || news.fax_id !== id) return;
  const place = document.getElementById("progress");
  const { event, rate, page } = news.data;
  if (event === "trained" || event === "training") place.textContent = place.dataset.rate.replace("{rate}", rate);
  else if (event === "page_sending") place.textContent = place.dataset.page.replace("{page}", page);
  else if (place.dataset[event]) place.textContent = place.dataset[event];
});
