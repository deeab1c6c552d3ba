// The list of faxes: keys, search as you type, actions on several faxes, loading of older ones at the end.

import { answered, call, parting, problemOf, request, save, words } from "./api.js";
import { onSubmit } from "./form.js";
import { look, refresh } from "./live.js";
import { start as startNotes } from "./notes.js";
import { notice, refused } from "./notices.js";
import { start } from "./viewer.js";

start();
startNotes();
document.addEventListener("refreshed", () => start());

const WAIT_MS = 250;
const root = document.querySelector(".faxes");
const kind = root.dataset.kind;
let shown = location.search; // the address whose faxes the list has
const rows = () => [...document.querySelectorAll(".rows > li:not([hidden])")];
const chosen = () => rows().filter((row) => row.querySelector("input:checked"));
// The row of a fax as the list has it now: a list that is drawn again has other ones.
const rowOf = (id) => document.querySelector(`.rows > li[data-id="${id}"]`);
const bulk = root.querySelector(".bulk");
const forward = document.getElementById("bulk-forward");
const api = kind === "received" ? "received" : "faxes"; // their name in the interface

function count() {
  const number = chosen().length;
  bulk.hidden = number === 0;
  if (forward && bulk.hidden) forward.hidden = true;
  bulk.querySelector(".how-many").textContent = words.chosen.replace("{count}", number);
}

root.addEventListener("change", (event) => {
  if (event.target.matches(".rows input")) count();
});

// -- search as you type ------------------------------------------------------------------------

const search = root.querySelector("input[type=search]");
let timer = null;
search.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const address = new URL(location.href);
    address.searchParams.delete("before");
    if (search.value.trim()) address.searchParams.set("q", search.value.trim());
    else address.searchParams.delete("q");
    history.replaceState(null, "", address);
    await refresh();
    count();
    tellFound();
  }, WAIT_MS);
});
// What a search found, for those who do not see it.
function tellFound() {
  const number = rows().length;
  const more = document.querySelector(".next") ? words.found_more : words.found;
  document.getElementById("found").textContent = document.querySelector("#rows > .nothing")?.textContent
    ?? (number === 1 ? words.found_one : more.replace("{count}", number));
}
root.querySelector(".search").addEventListener("submit", (event) => event.preventDefault());

// -- older ones --------------------------------------------------------------------------------

// Interval of repeating a failed request, ms, while its place is visible.
const AGAIN_MS = 3000;

const end = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) older(entry.target);
});

async function older(place) {
  if (place.dataset.loading) return;
  place.dataset.loading = "yes";
  const fresh = await look(place.querySelector("a").href);
  delete place.dataset.loading;
  if (!place.isConnected) return; // the list was replaced meanwhile
  if (!fresh) {
    end.unobserve(place);
    setTimeout(watch, AGAIN_MS);
    return;
  }
  const next = fresh.querySelector(".next");
  document.querySelector(".rows").append(...fresh.querySelectorAll(".rows > li"));
  place.replaceWith(...(next ? [next] : []));
  watch();
}

function watch() {
  const next = document.querySelector(".next");
  if (next) end.observe(next);
}
watch();

// Rows that were kept from an earlier list may be outdated: they are fetched again when they become visible, with
// those that follow.
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) renew(entry.target);
});

async function renew(row) {
  sight.unobserve(row);
  if (!row.isConnected || !row.dataset.old || renew.running) return;
  renew.running = true;
  const [first, address] = [Number(row.dataset.id), new URL(`/${kind}${location.search}`, location.href)];
  address.searchParams.set("before", first + 1);
  const fresh = await look(address);
  renew.running = false;
  if (!fresh) {
    setTimeout(() => sight.observe(row), AGAIN_MS);
    return;
  }
  const found = new Map([...fresh.querySelectorAll(".rows > li")].map((each) => [each.dataset.id, each]));
  const last = fresh.querySelector(".next") ? Math.min(...[...found.keys()].map(Number)) : 0;
  for (const old of document.querySelectorAll(".rows > li[data-old]")) {
    const id = Number(old.dataset.id);
    if (id > first || id < last) continue;
    const other = found.get(old.dataset.id);
    if (other) {
      other.querySelector("input").checked = old.querySelector("input").checked;
      other.hidden = old.hidden;
      if (old.contains(document.activeElement)) queueMicrotask(() => other.querySelector("a").focus({ preventScroll: true }));
      old.replaceWith(other);
    } else old.remove();
  }
  count();
  for (const old of document.querySelectorAll(".rows > li[data-old]")) {
    sight.unobserve(old);
    sight.observe(old);
  }
}

// A list that is drawn again begins with its newest page; older pages that were loaded stay below it.
let loaded = null;
document.addEventListener("refreshing", () => {
  loaded = { address: shown, rows: [...document.querySelectorAll(".rows > li")], next: document.querySelector(".next") };
});
document.addEventListener("refreshed", () => {
  const list = document.querySelector(".rows");
  const oldest = Number(list?.lastElementChild.dataset.id);
  const older = loaded.rows.filter((row) => !row.isConnected && Number(row.dataset.id) < oldest);
  if (loaded.address === location.search && older.length) {
    list.append(...older);
    for (const row of older) {
      row.dataset.old = "yes";
      sight.observe(row);
    }
    document.querySelector(".next")?.remove();
    if (loaded.next) list.after(loaded.next);
  }
  shown = location.search;
  watch();
});

// -- many at once ------------------------------------------------------------------------------

// Why the box refuses one fax and takes others: somebody else has dealt with it meanwhile.
const OF_ONE = ["not_found", "state_forbids"];

async function each(list, act) {
  let problem = null;
  for (const row of list) {
    try {
      await act(Number(row.dataset.id));
    } catch (error) {
      problem = problemOf(error);
      if (!OF_ONE.includes(problem.code)) break;
    }
  }
  if (problem) refused(problem);
  await refresh();
  count();
}

// The faxes that are deleted when the time for "Undo" is over, and the chosen ones; a list that is drawn again keeps
// both.
const going = new Set();
let kept = [];

function hide() {
  for (const row of document.querySelectorAll(".rows > li")) row.hidden = going.has(row.dataset.id);
  count();
}

document.addEventListener("refreshing", () => { kept = chosen().map((row) => row.dataset.id); });
document.addEventListener("refreshed", () => {
  for (const id of kept) {
    const box = rowOf(id)?.querySelector("input");
    if (box) box.checked = true;
  }
  hide();
});

async function fetchTogether(ids, format) {
  try {
    await save(await answered(`/${api}-bundle?ids=${ids}&format=${format}`, request("GET")));
  } catch (error) {
    refused(problemOf(error));
  }
}

// The call that deletes a fax.
const deletion = (id) => (kind === "received" ? ["DELETE", `/received/${id}`] : ["POST", `/faxes/${id}/erase`]);

async function remove(list, leave) {
  for (const row of list) going.add(row.dataset.id);
  hide();
  const leaving = () => { for (const row of list) parting(...deletion(row.dataset.id)); };
  const gone = await notice(words.deleted, { undo: true, leaving });
  if (gone) {
    await each(list, async (id) => {
      await call(...deletion(id)).catch((error) => {
        if (error.problem?.code !== "not_found") throw error; // it is gone, as it should be
      });
      rowOf(id)?.remove();
    });
  }
  for (const row of list) going.delete(row.dataset.id);
  hide();
  if (gone) leave?.();
}

bulk.addEventListener("click", (event) => {
  const act = event.target.dataset.act;
  const list = chosen();
  if (!act || !list.length) return;
  const ids = list.map((row) => row.dataset.id).join(",");
  if (act === "delete") remove(list);
  if (act === "read" || act === "unread") {
    each(list, async (id) => {
      await call("PATCH", `/received/${id}`, { read: act === "read" });
      rowOf(id)?.classList.toggle("unread", act === "unread");
    });
  }
  if (act === "cancel" && confirm(words.ask_cancel)) each(list, (id) => call("POST", `/faxes/${id}/cancel`, {}));
  if (act === "pdf" || act === "zip") fetchTogether(ids, act);
});

// Faxes that were handled are no longer chosen, so that the rest can be tried again after a refusal.
if (forward) {
  onSubmit(forward, async () => {
    const to = [forward.elements.to.value.trim()];
    const ids = chosen().map((row) => row.dataset.id);
    for (const id of ids) {
      await call("POST", `/${api}/${id}/forward`, { to });
      const box = rowOf(id)?.querySelector("input");
      if (box) box.checked = false;
      count();
    }
    forward.reset();
    notice(words.forwarded.replace("{count}", ids.length));
  });
}

// -- the fax that is open ----------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.mark) {
    await call("PATCH", `/received/${button.dataset.mark}`, { read: false });
    notice(words.marked);
    location.assign(`/received${location.search}`);
  }
  if (button.dataset.delete) {
    const row = rows().filter((each) => each.dataset.id === button.dataset.delete);
    const paper = document.getElementById("paper");
    paper.hidden = true;
    document.body.classList.remove("reading");
    const list = row.length ? row : [{ dataset: { id: button.dataset.delete } }];
    await remove(list, () => location.assign(`/${kind}${location.search}`));
    paper.hidden = false;
  }
});

// -- keys --------------------------------------------------------------------------------------

// The button that sends the open fax again.
const again = () => document.querySelector('[data-open="again"]');

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target === search) search.blur();
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  const links = rows().map((row) => row.querySelector("a"));
  const here = links.indexOf(document.activeElement.closest?.("li")?.querySelector("a"));
  const current = here >= 0 ? here : rows().findIndex((row) => row.classList.contains("chosen"));
  const to = { j: current + 1, ArrowDown: current + 1, k: current - 1, ArrowUp: current - 1 }[event.key];
  if (event.key === "/") {
    event.preventDefault();
    search.focus();
  } else if (to !== undefined && links[to]) {
    event.preventDefault();
    links[to].focus();
  } else if (event.key === "x" && current >= 0) {
    const box = rows()[current].querySelector("input");
    box.checked = !box.checked;
    count();
  } else if (event.key === "r" && here < 0 && again()) {
    again().click();
  } else if (event.key === "r" && current >= 0 && kind === "sent") {
    const address = new URL(links[current].href);
    address.searchParams.set("again", "yes");
    location.assign(address);
  } else if (event.key === "Enter" && here >= 0 && document.activeElement.tagName !== "A") {
    links[here].click();
  }
});
