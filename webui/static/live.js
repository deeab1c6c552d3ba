// Live pages. All windows of a browser share one event stream (stream-worker.js); when something happened that
// this page shows, it is fetched again and its parts ([data-part], each with an id) are replaced.

import { headers, words } from "./api.js";
import { notice } from "./notices.js";

const main = document.querySelector("[data-live]");
const kinds = (main?.dataset.live ?? "").split(" ").filter(Boolean);
const fax = main?.dataset.fax ? Number(main.dataset.fax) : null;
const QUIET_MS = 250;
const listeners = [];
let timer = null;
// A stream that is away for less is no news.
const AWAY_MS = 5000;
let waiting = null;
let lost = null;
let away = false;

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

export async function refresh() {
  const answer = await fetch(location.href, { headers: headers(), credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
    location.assign(answer.url);
    return;
  }
  document.dispatchEvent(new CustomEvent("refreshing"));
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.getElementById(part.id);
    if (!other || part.outerHTML === other.outerHTML) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceWith(other);
    if (focused) document.getElementById(focused)?.focus();
  }
  document.dispatchEvent(new CustomEvent("refreshed"));
}

function told(message) {
  if (message.kind === "away") {
    lost ??= Date.now();
    waiting ??= setTimeout(() => {
      away = true;
      notice(`${words.unreachable} ${words.unreachable_advice}`);
    }, AWAY_MS);
  } else if (message.kind === "here") {
    clearTimeout(waiting);
    waiting = null;
    if (away) notice(words.again);
    if (lost) refreshSoon(); // what happened meanwhile
    away = false;
    lost = null;
  } else {
    heard(message);
  }
}

export function start() {
  if (!document.querySelector('meta[name="page-token"]')) return;
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
