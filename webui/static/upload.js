// Uploads of files, with progress, which fetch() cannot report.

import { headers, Refused, refusal, words } from "./api.js";

// Sends `body`, a form or a file. `tell` is called with the part that is there, from 0 to 1, and with null when the box has
// answered or the connection is lost. Returns the JSON of the answer, null without content. Throws Refused.
export function upload(path, body, tell) {
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => tell(event.lengthComputable ? event.loaded / event.total : 0));
  return new Promise((done, refuse) => {
    request.addEventListener("error", () => {
      tell(null);
      refuse(new Refused({ title: words.unreachable, advice: words.unreachable_upload, code: "" }));
    });
    request.addEventListener("load", () => {
      tell(null);
      const answer = parsed(request.responseText);
      if (request.status < 300) done(answer);
      else refuse(refusal(answer ?? { title: words.wrong, advice: "", code: "" }));
    });
    request.open("POST", `/api/v1${path}`);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    if (!(body instanceof FormData)) request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
