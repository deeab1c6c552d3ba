// Copies the account of a call as plain text.

import { words } from "./api.js";
import { notice } from "./notices.js";

function text(section) {
  const lines = [section.querySelector("h2").textContent.trim()];
  for (const rung of section.querySelectorAll(".ladder > li")) {
    const [time, arrow, said] = [...rung.children].map((part) => part.innerText.replace(/\s+/g, " ").trim());
    lines.push(`${time.padStart(9)} ${arrow.replace(/[^→←]/g, "").padEnd(1)} ${said}`);
  }
  // Pages and packets, as tables that can be pasted into a spreadsheet.
  for (const table of section.querySelectorAll("table")) {
    lines.push("");
    for (const row of table.rows) lines.push([...row.cells].map((cell) => cell.textContent.trim()).join("\t"));
  }
  return `${lines.join("\n")}\n`;
}

async function copy(content) {
  if (navigator.clipboard) return navigator.clipboard.writeText(content);
  // Without TLS, this is the only clipboard that browsers offer to pages.
  const area = document.createElement("textarea");
  area.value = content;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", async (event) => {
  const name = event.target.dataset?.copy;
  if (!name) return;
  await copy(text(document.getElementById(name).closest("section")));
  notice(words.copied);
});
