// Tries calls of the interface with the rights of the user, asks before calls that change something, and shows the
// answers.

import { headers, LOOK_LIMIT_MS, words } from "./api.js";
import { searchable } from "./find.js";

// How much of a long answer is shown, characters.
const SHOWN = 20_000;

async function answerOf(method, address, body) {
  const options = { method, headers: headers() };
  if (method === "GET") options.signal = AbortSignal.timeout(LOOK_LIMIT_MS);
  if (body) {
    options.headers["Content-Type"] = "application/json";
    options.body = body;
  }
  const answer = await fetch(address, options).catch(() => null);
  if (!answer) return `${words.unreachable} ${words.unreachable_press}`;
  const kind = answer.headers.get("Content-Type") ?? "";
  const head = `${answer.status} ${kind}`;
  if (!/json|text/.test(kind)) return `${head}, ${(await answer.blob()).size} bytes`;
  const text = await answer.text().catch(() => "");
  return `${head}\n\n${pretty(text).slice(0, SHOWN)}`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.try) return;
  event.preventDefault();
  if (form.dataset.ask && !confirm(form.dataset.ask)) return;
  let path = form.dataset.try;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("input")) {
    if (field.dataset.place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.value) query.set(field.name, field.value);
  }
  const asked = query.toString();
  const shown = form.querySelector("pre");
  shown.querySelector("code").textContent = await answerOf(form.dataset.method, `/api/v1${path}${asked ? `?${asked}` : ""}`, form.querySelector("textarea")?.value);
  shown.hidden = false;
  shown.focus();
});

searchable(".calls");
