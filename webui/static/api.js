// Calls of the box's own interface, /api/v1, as this page's session.

import { keep } from "./typed.js";

const token = document.querySelector('meta[name="page-token"]')?.content ?? "";
export const words = JSON.parse(document.getElementById("words").textContent);

// Time limit for reading from the box, ms: a machine without power does not close its connections.
export const LOOK_LIMIT_MS = 30_000;

// The box refused a request: `problem` is its problem document (RFC 9457).
export class Refused extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

export const headers = () => ({
  "X-Page-Token": token,
  "Accept-Language": document.documentElement.lang,
});

// The problem document of a refusal; any other error is thrown on.
export function problemOf(error) {
  if (!(error instanceof Refused)) throw error;
  return error.problem;
}

// What fetch() needs for a call with `body`: a form, or what becomes JSON.
export function request(method, body, more = {}) {
  if (body === undefined || body instanceof FormData) return { method, headers: { ...headers(), ...more }, body };
  const kind = { "Content-Type": "application/json" };
  return { method, headers: { ...headers(), ...kind, ...more }, body: JSON.stringify(body) };
}

// A call that continues while the page is being left. Its result is not reported.
export function parting(method, path) {
  fetch(`/api/v1${path}`, { ...request(method), keepalive: true }).catch(() => null);
}

// Time within which the browser has begun to save a file, ms.
const SAVING_MS = 60_000;

// Makes the browser save the file of an answer under the name that the box gave it.
export async function save(answer) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVING_MS);
}

// Returns the JSON of the answer, or null without content. `limitMs` limits reading calls. Throws Refused.
export async function call(method, path, body, more = {}, limitMs = LOOK_LIMIT_MS) {
  const options = request(method, body, more);
  if (method === "GET") options.signal = AbortSignal.timeout(limitMs);
  const answer = await answered(path, options);
  return answer.status === 204 ? null : answer.json();
}

// What to throw for a problem document; where it says that the session has ended, the page is left.
export function refusal(problem) {
  if (problem.code === "not_signed_in") signIn();
  if (problem.code === "page_stale") {
    keepAll();
    location.reload();
  }
  return new Refused(problem);
}

// Also what is typed while the next page is on its way.
function keepAll() {
  keep();
  addEventListener("pagehide", keep, { once: true });
}

// Leaves this page, whose session has ended, for the one to sign in, which leads back here.
export function signIn() {
  keepAll();
  location.assign(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
}

// Whether the session has ended: the page is being left.
export const isOver = (problem) => ["not_signed_in", "page_stale"].includes(problem.code);

// Returns the answer itself. Throws Refused.
export async function answered(path, options) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, options);
  } catch {
    throw new Refused({ title: words.unreachable, advice: words.unreachable_press, code: "" });
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({ title: words.wrong, advice: "", code: "" }));
  throw refusal(problem);
}
