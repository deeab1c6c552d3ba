// The field "To": several recipients, completed from the phone book and earlier faxes, checked while they are typed.

import { call, problemOf, words } from "./api.js";
import { element, joined, plainButton } from "./elements.js";

const WAIT_MS = 200;

export function completion(root, changed) {
  const input = root.querySelector("input");
  const list = root.querySelector("[role=listbox]");
  const chosen = root.querySelector(".chosen");
  const said = root.querySelector(".said");
  let recipients = [];
  let offers = [];
  let active = -1;
  let timer = null;
  let asked = 0;
  let taking = Promise.resolve();
  let underWay = 0;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const tell = (text, kind = "") => {
    said.textContent = text;
    said.className = `said help ${kind}`;
  };

  function draw() {
    chosen.replaceChildren(...recipients.map((each, index) => {
      const [name, more] = each.group ? [each.name, ` (${each.members})`] : [each.name || each.number, each.name ? ` · ${each.number}` : ""];
      const remove = plainButton(words.remove, () => {
        recipients.splice(index, 1);
        draw();
        changed(recipients);
        input.focus();
      });
      remove.setAttribute("aria-label", `${words.remove}: ${name}${more}`);
      return element("li", [element("span", [element("bdi", name), more]), " ", remove]);
    }));
  }

  function add(recipient) {
    if (!recipients.some((each) => each.number === recipient.number && each.group === recipient.group)) {
      recipients = [...recipients, recipient];
    }
    tell("");
    close();
    draw();
    changed(recipients);
  }

  function choose(offer) {
    input.value = "";
    add(offer);
  }

  function describe(found) {
    if (!found.ok) return [`${found.result.sentence} ${found.result.advice}`, "bad"];
    const parts = [found.name, `${words.dials} ${found.pretty}`];
    if (found.country) parts.push(new Intl.DisplayNames(document.documentElement.lang, { type: "region" }).of(found.country));
    if (found.reach === "practice") parts.push(words.practice);
    if (found.quarantined_until) parts.push(words.quarantined);
    if (found.delivered) parts.push(found.delivered === 1 ? words.delivered_once : words.delivered_before.replace("{count}", found.delivered));
    if (found.delivered && found.seconds_a_page) parts.push(words.usual_seconds.replace("{count}", found.seconds_a_page));
    return [joined(parts), "good"];
  }

  const membersOf = ({ members }) => (members === 1 ? words.member : words.members.replace("{count}", members));

  const looksLikeNumber = (text) => /^[\d+*#()/. -]{3,}$/.test(text) && /\d/.test(text);

  // A single comma ends a number, as it does while typing; several are pauses before digits that are dialled on.
  const apart = (text) =>
    text.split(/;(?! ?(?:ext(?:ension|n)?|x)[.:= ])|(?<!,),(?!,)/i).map((each) => each.trim()).filter(Boolean);

  async function look() {
    const text = input.value.trim();
    const mine = ++asked;
    if (!text) {
      tell("");
      close();
      return;
    }
    const [found, answer] = await Promise.all([
      looksLikeNumber(text) ? call("GET", `/numbers/check?number=${encodeURIComponent(text)}`).catch(() => null) : null,
      call("GET", `/recipients?q=${encodeURIComponent(text)}`).catch(() => ({ recipients: [] })),
    ]);
    if (mine !== asked) return;
    tell(...(found ? describe(found) : [""]));
    offers = answer.recipients;
    list.replaceChildren(...offers.map((offer, index) => {
      const more = [offer.company, offer.name ? offer.number : "", offer.group ? membersOf(offer) : ""];
      const item = element("li", [
        element("b", offer.name || offer.number), " ", element("span", joined(more), "faint"),
      ]);
      item.id = `offer-${index}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        choose(offer);
      });
      return item;
    }));
    list.hidden = !offers.length;
    active = -1;
    input.setAttribute("aria-expanded", String(offers.length > 0));
  }

  // Adds recipients one after the other. What the box refuses is in the field again, before what was typed meanwhile.
  async function addAll(entries) {
    let [left, problem] = [[], null];
    for (const [at, { number, name }] of entries.entries()) {
      try {
        const found = await call("GET", `/numbers/check?number=${encodeURIComponent(number)}`);
        if (found.ok) {
          add({ number, name: name || found.name, company: "" });
          continue;
        }
        left.push(number);
        const [text, kind] = describe(found);
        problem ??= [entries.length > 1 ? `${number}: ${text}` : text, kind];
      } catch (error) {
        problem = [problemOf(error).title, "bad"];
        left = [...left, ...entries.slice(at).map((each) => each.number)];
        break;
      }
    }
    input.value = [...left, input.value].filter(Boolean).join("; ");
    if (problem) {
      tell(...problem);
      close();
    }
  }

  // Adds the typed number, and the pasted ones; one after the other, so that what is sent goes to all of them. Returns
  // whether nothing is left in the field.
  function take(rows = []) {
    asked++;
    clearTimeout(timer);
    const entries = [...apart(input.value).map((number) => ({ number })), ...rows];
    input.value = "";
    underWay++;
    taking = taking.catch(() => null).then(() => addAll(entries)).finally(() => underWay--);
    return taking.then(() => !input.value.trim());
  }

  // A row of a spreadsheet: its number, and its name where only one of its cells can be one. A row with several numbers is
  // not guessed: it is refused as it stands.
  function entryOf(row) {
    const cells = row.split("\t").map((each) => each.trim()).filter(Boolean);
    const numbers = cells.filter(looksLikeNumber);
    const whole = numbers.length > 1 ? numbers.filter((each) => /^[+0(]/.test(each)) : numbers;
    const names = cells.filter((each) => /\p{L}/u.test(each));
    if (whole.length !== 1) return cells.length === 1 ? apart(cells[0]).map((number) => ({ number })) : [{ number: cells.join(" | ") }];
    return [{ number: whole[0], name: names.length === 1 ? names[0] : "" }];
  }

  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\t\r\n]/.test(text.trim())) return;
    event.preventDefault();
    take(text.split(/[\r\n]+/).filter((row) => row.trim()).flatMap(entryOf));
  });

  function move(step) {
    if (list.hidden) return;
    active = (active + step + offers.length) % offers.length;
    for (const [index, item] of [...list.children].entries()) {
      item.setAttribute("aria-selected", String(index === active));
      if (index === active) item.scrollIntoView({ block: "nearest" });
    }
    input.setAttribute("aria-activedescendant", `offer-${active}`);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  });
  input.addEventListener("keydown", async (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") {
      close();
    } else if (event.key === "Enter" || event.key === "," || event.key === ";") {
      if (event.key === "Enter" && !input.value.trim()) return;
      event.preventDefault();
      if (active >= 0) choose(offers[active]);
      else if (offers.length === 1 && !looksLikeNumber(input.value.trim())) choose(offers[0]);
      else await take();
    } else if (event.key === "Backspace" && !input.value && recipients.length) {
      recipients = recipients.slice(0, -1);
      draw();
      changed(recipients);
    }
  });
  input.addEventListener("blur", () => {
    setTimeout(close, 150);
    if (looksLikeNumber(input.value.trim())) take();
  });

  return {
    set(list) {
      recipients = list.filter((each) => each.number || each.group);
      draw();
      changed(recipients);
    },
    // With what is being typed.
    put(list, text) {
      this.set(list);
      input.value = text;
    },
    typed: () => input.value,
    pending: () => Boolean(input.value.trim()) || underWay > 0,
    take: () => take(),
  };
}
