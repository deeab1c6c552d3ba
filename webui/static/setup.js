// The first start: a live preview of what the other side will see; saves several sections at once.

import { call, words } from "./api.js";
import { onSubmit, values } from "./form.js";
import { notice } from "./notices.js";

const station = document.getElementById("station");
station?.addEventListener("input", () => {
  const body = values(station);
  document.getElementById("seen-name").textContent = body.station.name || "…";
  document.getElementById("seen-id").textContent = body.station.station_id || "…";
  document.querySelector(".far-end").classList.toggle("bare", !body.station.header);
});

for (const form of document.querySelectorAll("form[data-set-up]")) {
  onSubmit(form, async () => {
    for (const [section, changes] of Object.entries(values(form))) {
      await call("PATCH", `/settings/${section}`, changes);
    }
    location.assign(form.dataset.next);
  });
}

document.addEventListener("click", async (event) => {
  const id = event.target.dataset?.copyText;
  if (!id) return;
  const text = document.getElementById(id).textContent;
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
  } else {
    getSelection().selectAllChildren(document.getElementById(id));
    document.execCommand("copy");
  }
  notice(words.copied);
});
