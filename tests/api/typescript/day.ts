// An office's day through the generated types: day.js BOX TOKEN.  Prints one line of JSON about it.
import createClient from "openapi-fetch";
import type { components, paths, webhooks } from "./client.js";

declare const process: { argv: string[] };
type Fax = components["schemas"]["FaxInFull"];
type Delivered = webhooks["fax.delivered"]["post"]["requestBody"]["content"]["application/json"];

const [, , box = "", token = ""] = process.argv;
const client = createClient<paths>({
  baseUrl: `${box}/api/v1`,
  headers: { Authorization: `Bearer ${token}` },
});
const PAUSE_MS = 100;

/** What was asked for; a refusal ends the day in the box's own words. */
async function answer<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (error !== undefined) throw new Error(`${response.url}: ${JSON.stringify(error)}`);
  return data as T;
}

function first<T>(found: readonly T[]): T {
  const [one] = found;
  if (one === undefined) throw new Error("nothing there");
  return one;
}

/** Asks until there is an answer that is wanted; the test that runs this has the limit for hangs. */
async function until<T>(ask: () => Promise<T>, wanted: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (wanted(found)) return found;
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}

/** A form as the box's schema names its parts: lists are repeated, files stay files. */
function form(body: Record<string, unknown>): FormData {
  const parts = new FormData();
  for (const [name, value] of Object.entries(body))
    for (const each of Array.isArray(value) ? value : [value])
      each instanceof File ? parts.append(name, each, each.name) : parts.append(name, String(each));
  return parts;
}

async function start(octets: Blob): Promise<string> {
  return String.fromCharCode(...new Uint8Array(await octets.slice(0, 4).arrayBuffer()));
}

const at = (id: number) => ({ params: { path: { id } } });
const letter = new File(["Dear Sir or Madam"], "a.txt", { type: "text/plain" });
const files = [{ name: "b.txt", content: "SGVsbG8=" }];

// In the morning: a letter as a form, an order as JSON, whose request is repeated and made once.
const posted = await answer(
  client.POST("/faxes", { body: { to: ["9990"], file: [letter], tag: "mail" }, bodySerializer: form }),
);
const sent = first(posted.faxes);
const order = { body: { to: ["9990"], files, metadata: { order: 4711 } }, params: { header: { "Idempotency-Key": "order-1" } } };
const ordered = await answer(client.POST("/faxes", order));
const repeated = await answer(client.POST("/faxes", order));
const kept = first(ordered.faxes).metadata["order"];

// What became of it, on paper and on the screen.
const readFax = (id: number): Promise<Fax> => answer(client.GET("/faxes/{id}", at(id)));
const ended = await until(() => readFax(sent.id), (fax) => fax.ended_at !== null);
const listed = await answer(client.GET("/faxes", { params: { query: { tag: "mail" } } }));
const page = { params: { path: { id: sent.id, page: 1 } } };
const picture = await answer(client.GET("/faxes/{id}/pages/{page}", { ...page, parseAs: "blob" }));
const pdf = await answer(client.GET("/faxes/{id}/document", { ...at(sent.id), parseAs: "blob" }));
const proof = await answer(client.GET("/faxes/{id}/confirmation", { ...at(sent.id), parseAs: "blob" }));
const events = await answer(client.GET("/faxes/{id}/events", at(sent.id)));

// A look before sending, one that waits for a look and is called off, one sent once more.
const preview = await answer(client.POST("/previews", { body: { files } }));
const drawn = { params: { path: { preview: preview.id, page: 1 } } };
const shown = await answer(client.GET("/previews/{preview}/pages/{page}", { ...drawn, parseAs: "blob" }));
const looked = await answer(client.POST("/faxes", { body: { to: ["9990"], preview_id: preview.id } }));
const held = first((await answer(client.POST("/faxes", { body: { to: ["9990"], files, hold: true } }))).faxes);
const cancelled = await answer(client.POST("/faxes/{id}/cancel", at(held.id)));
const again = await answer(client.POST("/faxes/{id}/resend", { ...at(sent.id), body: {} }));

// In the afternoon somebody faxes to the office.
await answer(client.POST("/practice/receive", { body: { files } }));
const { received } = await until(
  () => answer(client.GET("/received")),
  (list) => list.received.some((fax) => fax.state === "complete"),
);
const arrived = first(received);
const paper = await answer(client.GET("/received/{id}/pdf", { ...at(arrived.id), parseAs: "blob" }));
const tiff = await answer(client.GET("/received/{id}/tiff", { ...at(arrived.id), parseAs: "blob" }));
const read = await answer(client.PATCH("/received/{id}", { ...at(arrived.id), body: { read: true } }));
await answer(client.DELETE("/received/{id}", at(arrived.id)));

// A partner in the phone book, and a mistake that is answered in words.
const contact = await answer(client.POST("/contacts", { body: { first_name: "Ada", number: "9990" } }));
const changed = await answer(client.PATCH("/contacts/{id}", { ...at(contact.id), body: { company: "Engines" } }));
const refused = await client.POST("/faxes", { body: { to: ["not a number"], files } });

// A receiver of the box's webhooks has their payload typed.
const told = (hook: Delivered): string => `${hook.event} ${hook.fax.id} ${hook.fax.pages}`;

console.log(
  JSON.stringify({
    state: ended.state,
    once: first(repeated.faxes).id === first(ordered.faxes).id && repeated.repeated,
    kept,
    listed: listed.faxes.map((fax) => fax.id).includes(sent.id),
    octets: await Promise.all([picture, shown, pdf, proof, paper, tiff].map(start)),
    events: events.events.length > 0,
    previewed: first(looked.faxes).id > 0,
    cancelled: cancelled.state,
    again: again.id !== sent.id,
    read: read.read,
    contact: [changed.number, changed.first_name, changed.company],
    refused: refused.error?.code,
    told: told({ event: "fax.delivered", delivery: 1, at: ended.created_at, fax: ended }),
  }),
);
