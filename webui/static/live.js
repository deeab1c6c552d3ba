// Live pages. All windows of a browser share one event stream (stream-worker.js); when something happened that
// this page shows, it is fetched again and those of its parts ([data-part], each with an id) that the box makes
// otherwise now are replaced.

import { headers, LOOK_LIMIT_MS, words } from "./api.js";
import { notice, standing } from "./notices.js";
import { replacePart } from "./parts.js";

const main = document.querySelector("[data-live]");
const kinds = (main?.dataset.live ?? "").split(" ").filter(Boolean);
const fax = main?.dataset.fax ? Number(main.dataset.fax) : null;
const QUIET_MS = 250;
const listeners = [];
let timer = null;
// A stream that is away for less is no news.
const AWAY_MS = 3000;
let waiting = null;
// Whether something may have happened that this page was not told: since it was made until the stream is here for
// the first time, and while the stream is away.
let behind = main !== null;
let lost = false; // the stream was here and went
let away = null;
// Each part as the box made it last; in the page scripts may have changed it since.
const made = new Map();
let refreshing = null;
let onceMore = false;

// Calls `hear` with each event {kind, fax_id, data}.
export function listen(hear) {
  listeners.push(hear);
}

function heard(event) {
  for (const hear of listeners) hear(event);
  const topic = event.kind.split(".")[0];
  const shown = kinds.includes(topic) && (fax === null || event.fax_id === fax) && !event.kind.endsWith("progress");
  const counted = ["job", "received", "line"].includes(topic) && !event.kind.endsWith("progress") && !event.kind.endsWith(".page");
  if (shown || counted) refreshSoon();
}

function refreshSoon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, QUIET_MS);
}

// One after the other: what was asked for last is what is shown.
export async function refresh() {
  if (refreshing) {
    onceMore = true;
    return refreshing;
  }
  refreshing = (async () => {
    do {
      onceMore = false;
      await fetchParts();
    } while (onceMore);
  })().finally(() => { refreshing = null; });
  return refreshing;
}

// A page of the box as it is now; null when the box does not answer in time, or refuses.
export async function look(address) {
  const options = { headers: headers(), credentials: "same-origin", signal: AbortSignal.timeout(LOOK_LIMIT_MS) };
  const answer = await fetch(address, options).catch(() => null);
  if (!answer?.ok) return null;
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
    location.assign(answer.url);
    return null;
  }
  const text = await answer.text().catch(() => null);
  return text === null ? null : new DOMParser().parseFromString(text, "text/html");
}

async function fetchParts() {
  const address = location.href;
  const fresh = await look(address);
  // Something else is searched for by now: that is fetched next.
  if (!fresh || address !== location.href) return;
  document.dispatchEvent(new CustomEvent("refreshing"));
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.getElementById(part.id);
    if (!other || made.get(part.id) === other.outerHTML) continue;
    made.set(part.id, other.outerHTML);
    replacePart(part, other);
  }
  document.dispatchEvent(new CustomEvent("refreshed"));
}

function told(message) {
  if (message.kind === "away") {
    behind = true;
    lost = true;
    waiting ??= setTimeout(() => {
      away = standing(`${words.unreachable} ${words.unreachable_advice}`);
    }, AWAY_MS);
  } else if (message.kind === "here") {
    clearTimeout(waiting);
    waiting = null;
    away?.();
    if (away) notice(words.again);
    // What was not saved meanwhile.
    if (lost) document.dispatchEvent(new CustomEvent("again"));
    if (behind) refreshSoon();
    away = null;
    lost = false;
    behind = false;
  } else {
    heard(message);
  }
}

export function start() {
  if (!document.querySelector('meta[name="page-token"]')) return;
  for (const part of document.querySelectorAll("[data-part]")) made.set(part.id, part.outerHTML);
  const address = new URL("stream-worker.js", import.meta.url);
  if ("SharedWorker" in window) {
    const worker = new SharedWorker(address, { type: "module", name: "faxbox" });
    worker.port.onmessage = (event) => told(event.data);
    worker.port.start();
    addEventListener("pagehide", () => worker.port.postMessage("bye"));
  } else {
    import("./stream.js").then(({ follow }) => follow(told));
  }
}
