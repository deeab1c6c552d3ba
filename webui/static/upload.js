// Uploads of files, with progress, which fetch() cannot report.

import { headers, Refused, refusal, words } from "./api.js";

// No script can choose a file again: the browser asks before the page is left while one is on its way.
const askFirst = (event) => event.preventDefault();

// Sends `body`, a form or a file. `tell` is called with the part that is there, from 0 to 1, and with null when the box has
// answered or the connection is lost. Returns the JSON of the answer, null without content. Throws Refused.
export function upload(path, body, tell) {
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => tell(event.lengthComputable ? event.loaded / event.total : 0));
  addEventListener("beforeunload", askFirst);
  tell(0);
  return new Promise((done, refuse) => {
    request.addEventListener("loadend", () => {
      removeEventListener("beforeunload", askFirst);
      tell(null);
      const answer = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) done(answer);
      else if (request.status) refuse(refusal(answer ?? { title: words.wrong, advice: "", code: "" }));
      else refuse(new Refused({ title: words.unreachable, advice: words.unreachable_upload, code: "" }));
    });
    request.open("POST", `/api/v1${path}`);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    if (!(body instanceof FormData)) request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(body);
  });
}

// Shows in `place` (the macro "handing") which files are on their way, and how much of them is there; null: none is.
export function showHanding(place, files, part) {
  place.hidden = part === null;
  place.querySelector("b").textContent = files.map((file) => file.name).join(", ");
  place.querySelector("progress").value = 100 * (part ?? 1);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
