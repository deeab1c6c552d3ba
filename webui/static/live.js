// Live pages. All windows of a browser share one event stream (stream-worker.js). When something happened that this
// page shows, the page is fetched again, and those of its parts ([data-part], each with an id) that differ now are
// replaced.

import { headers, LOOK_LIMIT_MS, signIn, words } from "./api.js";
import { plainButton } from "./elements.js";
import { notice, standing } from "./notices.js";
import { replacePart } from "./parts.js";

const main = document.querySelector("[data-live]");
const kinds = (main?.dataset.live ?? "").split(" ").filter(Boolean);
const fax = main?.dataset.fax ? Number(main.dataset.fax) : null;
const QUIET_MS = 250;
const listeners = [];
let timer = null;
// The page is fetched again so long after the box did not answer, or refused.
const RETRY_MS = 5000;
// A shared stream that says nothing for so long is none: a browser may lose its worker while windows change.
const SILENT_MS = 5000;
// A shorter loss of the stream is ignored.
const AWAY_MS = 3000;
let waiting = null;
// Whether this page may have missed events: until the stream is up for the first time, and while it is lost.
let behind = main !== null;
let lost = false; // the stream was up, and was lost
let away = null;
let over = null; // the notice that the session has ended
// Each part as the box last made it; scripts may have changed it in the page since.
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

// Refreshes one after the other, so that the last request is the one that is shown.
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

// Fetches a page as it is now; null when the box does not answer in time, or refuses. `missing` is called when there is
// no such page.
export async function look(address, missing = () => null) {
  const options = { headers: headers(), signal: AbortSignal.timeout(LOOK_LIMIT_MS) };
  const answer = await fetch(address, options).catch(() => null);
  if (answer?.status === 404) return missing();
  if (!answer?.ok) return null;
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
    signIn();
    return null;
  }
  const text = await answer.text().catch(() => null);
  return text === null ? null : new DOMParser().parseFromString(text, "text/html");
}

// The fax that this page shows is gone: shows its list without it, and says so.
async function leave() {
  const paper = document.getElementById("paper");
  // A hidden one was deleted by the reader, who has been told.
  const back = paper?.hidden ? null : paper?.querySelector(".back a")?.href;
  const list = back ? await look(back) : null;
  if (!list) return null;
  history.replaceState(null, "", back);
  document.title = list.title;
  document.body.className = list.body.className;
  paper.replaceWith(list.getElementById("paper"));
  replaceParts(list);
  standing(words.gone);
  return null;
}

async function fetchParts() {
  const address = location.href;
  const fresh = await look(address, leave);
  // The search has changed meanwhile: its result is fetched next.
  if (address !== location.href) return;
  if (fresh) replaceParts(fresh);
  else setTimeout(refresh, RETRY_MS);
}

function replaceParts(fresh) {
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
    over?.();
    if (away) notice(words.again);
    // Lets scripts save what could not be saved meanwhile.
    if (lost) document.dispatchEvent(new CustomEvent("again"));
    if (behind) refreshSoon();
    away = null;
    over = null;
    lost = false;
    behind = false;
  } else if (message.kind === "over") {
    // The box answered: it is not away.
    clearTimeout(waiting);
    away?.();
    [waiting, away] = [null, null];
    over ??= standing([`${words.signed_out} `, plainButton(words.sign_in, signIn)]);
  } else if (message.kind !== "connecting") {
    heard(message);
  }
}

export function start() {
  if (!document.querySelector('meta[name="page-token"]')) return;
  for (const part of document.querySelectorAll("[data-part]")) made.set(part.id, part.outerHTML);
  const address = new URL("stream-worker.js", import.meta.url);
  if ("SharedWorker" in window) {
    const worker = new SharedWorker(address, { type: "module", name: "faxbox" });
    const silent = setTimeout(() => {
      worker.port.close();
      followAlone();
    }, SILENT_MS);
    worker.port.onmessage = (event) => {
      clearTimeout(silent);
      told(event.data);
    };
    worker.port.start();
    addEventListener("pagehide", () => worker.port.postMessage("bye"));
  } else {
    followAlone();
  }
}

function followAlone() {
  import("./stream.js").then(({ follow }) => follow(told));
}
