// The live preview of a cover page that is being edited.

import { request } from "./api.js";
import { element, showRefusal } from "./elements.js";

const WAIT_MS = 500;
const area = document.querySelector("textarea[name=html]");
const picture = document.getElementById("cover-preview");
const problem = document.getElementById("cover-problem");
let timer = null;

async function draw() {
  const body = { html: area.value, to_name: "Ada Lovelace", to_company: "Analytical Engines", subject: "…", message: "…", to_number: "+44 20 7946 0000" };
  const answer = await fetch("/api/v1/covers/preview", request("POST", body)).catch(() => null);
  if (!answer) return;
  if (!answer.ok) {
    // The last preview that the box could draw stays visible below.
    const refused = await answer.json().catch(() => null);
    if (refused) showRefusal(problem, refused);
    if (refused?.detail) problem.append(element("p", refused.detail));
    return;
  }
  problem.hidden = true;
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(await answer.blob());
  picture.hidden = false;
}

area.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(draw, WAIT_MS);
});
draw();
