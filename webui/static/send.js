// The page "Send": recipients, documents, time, and the pages exactly as they will be sent.

import { call, parting, problemOf, words } from "./api.js";
import { isElsewhere, timeAt, timeOfDay } from "./box-time.js";
import { element, showRefusal } from "./elements.js";
import { notice } from "./notices.js";
import { completion } from "./recipients.js";
import { drawPages, plain } from "./preview-pages.js";
import { changed } from "./parts.js";
import { keptOf } from "./typed.js";
import { showHanding, upload } from "./upload.js";

const SETTLE_MS = 500;
const STALE_MS = 10 * 60_000;
const PICTURE = /^image\/(?!tiff)|\.(jpe?g|hei[cf]|png|webp|avif|gif|bmp)$/i;
const form = document.getElementById("send");
const field = (name) => form.elements[name];
const problem = form.querySelector(".problem");
const state = { preview: null, leftOut: [], recipients: [], busy: 0, photographed: false, unsent: false, handing: false };
let settling = null;
let work = Promise.resolve();

// Makes changes one after the other, so that the page ends with the state of the box.
function inTurn(step) {
  work = work.then(async () => {
    busy(+1);
    try {
      return await step();
    } catch (error) {
      complain(problemOf(error));
      return null;
    } finally {
      busy(-1);
    }
  });
  return work;
}

function busy(change) {
  state.busy += change;
  tellBusy();
}

// Shows that the preview is not up to date yet.
function tellBusy() {
  document.getElementById("working").hidden = state.busy === 0 || state.handing;
  document.getElementById("paper").setAttribute("aria-busy", String(state.busy > 0 || settling !== null));
}

function complain(found) {
  // All that this page asks for is about its draft.
  if (found.code === "not_found") found = { ...found, title: words.draft_gone, advice: words.draft_gone_advice };
  showRefusal(problem, found);
  for (const fault of found.errors ?? []) if (fault.problem !== found.title) problem.append(element("p", fault.problem));
  problem.scrollIntoView({ block: "nearest" });
}

const calm = () => { problem.hidden = true; };

function cover() {
  if (!field("with_cover").checked) return null;
  return coverTexts();
}

const coverTexts = () => ({
  template: field("template").value,
  subject: field("subject").value,
  message: field("message").value,
});

const moment = () => {
  if (form.elements.when.value !== "later" || !field("send_at").value) return null;
  return timeAt(field("send_at").value).toISOString();
};

// A picture from the camera counts as a photograph, whatever its data say; for others the box decides.
const straighten = () => (field("straighten").checked ? state.photographed || null : false);

function wishes() {
  const first = state.recipients.find((each) => each.number) ?? {};
  return {
    quality: field("quality").value,
    treatment: field("treatment").value,
    straighten: straighten(),
    cover: cover(),
    to: { number: first.number ?? "", name: first.name ?? "", company: first.company ?? "" },
    send_at: moment(),
    form: {
      recipients: state.recipients.map(({ number, name, company, group, members }) => ({ number, name, company, group, members })),
      when: form.elements.when.value,
      send_at: field("send_at").value,
      left_out: state.leftOut,
      cover: { on: field("with_cover").checked, ...coverTexts() },
    },
  };
}

function show(preview) {
  if (!preview) return;
  state.preview = preview;
  drawPages(document.getElementById("pages"), preview, state.leftOut, { change: changePages, putBack });
  const facts = document.getElementById("facts");
  facts.replaceChildren();
  const count = preview.pages.length;
  const minutes = Math.max(1, Math.round(preview.seconds / 60));
  facts.append(
    (count === 1 ? words.one_page : words.pages.replace("{count}", count)) + ", " +
    (preview.seconds < 90 ? words.about_seconds.replace("{count}", preview.seconds) : words.about_minutes.replace("{count}", minutes)),
  );
  const end = document.getElementById("end");
  end.textContent = "";
  if (form.elements.when.value === "now") {
    const time = new Date(Date.now() + preview.seconds * 1000);
    end.textContent = ", " + words.ends_at.replace("{time}", timeOfDay(time));
  }
  const remarks = document.getElementById("remarks");
  remarks.replaceChildren(...preview.remarks.map((remark) => {
    const where = remark.page ? `${words.page} ${remark.page}: ` : remark.file ? `${remark.file}: ` : "";
    return element("li", `${where}${remark.sentence} ${remark.advice}`, remark.weight);
  }));
  // Shown only where it matters: on a phone, and when there is a picture.
  document.getElementById("photographs").classList.toggle("touch", !preview.files.some((file) => PICTURE.test(file.media_type) || PICTURE.test(file.name)));
  document.getElementById("files").replaceChildren(...preview.files.map((file) => element("li", file.name)));
  for (const part of document.querySelectorAll("[data-when=pages]")) part.hidden = false;
  for (const part of document.querySelectorAll("[data-when=empty]")) part.hidden = true;
  ready();
}

function ready() {
  // Pressing the button also adds a number that is still being typed.
  const someone = state.recipients.length || recipients.pending();
  form.querySelector("button.main").disabled = !state.preview || !someone;
}

function tellHanding(files, part) {
  state.handing = part !== null;
  showHanding(document.querySelector("#drop .handing"), files, part);
  tellBusy();
}

async function handIn(path, files, fields) {
  const body = new FormData();
  for (const file of files) body.append("file", file, file.name);
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const preview = await upload(path, body, (part) => tellHanding(files, part));
  state.unsent = false;
  return preview;
}

function add(files) {
  if (!files.length) return;
  calm();
  state.unsent = true;
  inTurn(async () => {
    if (state.preview) {
      const preview = await handIn(`/previews/${state.preview.id}/files`, files, {});
      if (preview.straighten === straighten()) show(preview);
      else show(await call("PATCH", `/previews/${preview.id}`, wishes()));
      return;
    }
    const fields = { quality: field("quality").value, treatment: field("treatment").value };
    if (straighten() !== null) fields.straighten = String(straighten());
    state.preview = await handIn("/previews", files, fields);
    show(await call("PATCH", `/previews/${state.preview.id}`, wishes()));
  });
}

function settle() {
  clearTimeout(settling);
  settling = setTimeout(sync, SETTLE_MS);
  tellBusy();
}

function sync() {
  clearTimeout(settling);
  settling = null;
  if (!state.preview) {
    tellBusy();
    return work;
  }
  calm();
  return inTurn(async () => show(await call("PATCH", `/previews/${state.preview.id}`, wishes())));
}

function changePages(pages, leftOut) {
  if (leftOut) state.leftOut = leftOut;
  calm();
  inTurn(async () => show(await call("PATCH", `/previews/${state.preview.id}`, { ...wishes(), pages })));
}

function putBack(index) {
  const [page] = state.leftOut.splice(index, 1);
  const pages = state.preview.pages.filter((each) => each.file !== null).map(plain);
  let place = pages.findIndex((each) => each.file > page.file || (each.file === page.file && each.page > page.page));
  if (place < 0) place = pages.length;
  pages.splice(place, 0, page);
  changePages(pages, state.leftOut);
}

async function send(event) {
  event.preventDefault();
  calm();
  if (recipients.pending() && !(await recipients.take())) return;
  if (!state.recipients.length || !state.preview) return;
  const button = form.querySelector("button.main");
  button.disabled = true;
  if (settling !== null) sync();
  await work;
  if (!problem.hidden) {
    button.disabled = false;
    return;
  }
  const body = {
    to: state.recipients.map((each) => (each.group ? { group: each.group } : { number: each.number, name: each.name ?? "", company: each.company ?? "" })),
    preview_id: state.preview.id,
    preview_version: state.preview.version,
    hold: form.elements.when.value === "hold",
  };
  if (moment()) body.send_at = moment();
  try {
    const made = await call("POST", "/faxes", body, { "Idempotency-Key": `${state.preview.id}-${state.preview.version}` });
    location.assign(made.faxes.length === 1 ? `/faxes/${made.faxes[0].id}` : `/sent?submission=${made.submission_id}`);
  } catch (error) {
    const found = problemOf(error);
    complain(found);
    button.disabled = false;
    if (found.code === "preview_changed") inTurn(async () => show(await call("GET", `/previews/${state.preview.id}`)));
  }
}

async function startOver() {
  const gone = state.preview;
  if (!gone) return;
  await work;
  const kept = document.querySelector(".work");
  kept.hidden = true;
  const leaving = () => parting("DELETE", `/previews/${gone.id}`);
  if (await notice(words.thrown_away, { undo: true, leaving })) {
    await call("DELETE", `/previews/${gone.id}`).catch(() => null);
    location.reload();
  } else {
    kept.hidden = false;
  }
}

// -- a draft of an earlier visit ---------------------------------------------------------------

// What was asked for when the session ended in this window: newer than the draft.
const kept = keptOf("send");

async function takeUp() {
  const id = form.dataset.draft;
  if (!id) {
    if (kept) putIn(kept);
    return;
  }
  await inTurn(async () => {
    let preview = await call("GET", `/previews/${id}`);
    state.preview = preview;
    putIn({ ...preview, ...kept });
    const again = Date.now() - Date.parse(preview.touched_at) > STALE_MS;
    if (again || kept) preview = await call("PATCH", `/previews/${id}`, { ...wishes(), again });
    show(preview);
  });
}

function putIn({ quality, treatment, straighten, form: said, text = "" }) {
  const { recipients: to = [], when = "now", send_at: at = "", left_out: leftOut = [], cover: page = {} } = said;
  state.leftOut = leftOut;
  field("quality").value = quality;
  field("treatment").value = treatment;
  field("straighten").checked = straighten !== false;
  state.photographed = straighten === true;
  field("with_cover").checked = Boolean(page.on);
  for (const name of ["template", "subject", "message"]) if (page[name] !== undefined) field(name).value = page[name];
  form.elements.when.value = when;
  field("send_at").value = at;
  recipients.put(to, text);
  shapes();
}

function shapes() {
  document.getElementById("cover-fields").hidden = !field("with_cover").checked;
  document.getElementById("later-fields").hidden = form.elements.when.value !== "later";
  field("send_at").required = form.elements.when.value === "later";
  const main = form.querySelector("button.main");
  main.textContent = main.dataset[form.elements.when.value];
}

// -- wiring ------------------------------------------------------------------------------------

const recipients = completion(document.getElementById("to"), (list) => {
  state.recipients = list;
  ready();
  if (state.preview) settle();
});

const drop = document.getElementById("drop");
for (const input of document.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (input.id === "camera") state.photographed = true;
    add(files);
  });
}
for (const kind of ["dragover", "dragenter"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add([...event.dataTransfer.files]);
});
addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) add([...event.clipboardData.files]);
});

form.addEventListener("submit", send);
// Sends changes that were made while the box did not answer.
document.addEventListener("again", () => { if (state.preview) sync(); });
document.addEventListener("keeping", ({ detail }) => {
  const text = recipients.typed();
  if (state.recipients.length || text || [...form.elements].some((each) => each.name && changed(each))) detail.send = { ...wishes(), text };
  if (state.unsent) detail.files = true;
});
form.addEventListener("input", (event) => {
  shapes();
  ready();
  if (event.target.name) settle();
});
document.getElementById("zone").hidden = !isElsewhere();
document.getElementById("start-over").addEventListener("click", startOver);
shapes();
takeUp();
const to = new URLSearchParams(location.search).get("to");
if (to && !form.dataset.draft && !kept) recipients.set([{ number: to }]);
