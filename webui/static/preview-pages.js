// The pages of a preview, as large as possible, each with its actions.

import { words } from "./api.js";
import { element, plainButton } from "./elements.js";

// What the box is told of a page.
export const plain = ({ file, page, turn, treatment, lightness }) => ({ file, page, turn, treatment, lightness });

export function drawPages(root, preview, leftOut, { change, putBack }) {
  const own = preview.pages.filter((each) => each.file !== null);
  const focused = document.activeElement?.dataset.key;
  const cover = preview.pages.length - own.length;

  const edit = (index, more) => () => change(own.map((each, at) => (at === index ? { ...plain(each), ...more } : plain(each))));
  const move = (index, step) => () => {
    const pages = own.map(plain);
    const [page] = pages.splice(index, 1);
    pages.splice(index + step, 0, page);
    change(pages);
  };
  const leave = (index) => () => {
    const pages = own.map(plain);
    const [page] = pages.splice(index, 1);
    change(pages, [...leftOut, page]);
  };

  const items = preview.pages.map((page) => {
    const picture = document.createElement("img");
    picture.src = `/api/v1/previews/${preview.id}/pages/${page.number}?version=${preview.version}`;
    picture.width = page.width;
    picture.height = Math.round((page.rows * page.x_dpi) / page.y_dpi);
    picture.style.aspectRatio = `${page.width / page.x_dpi} / ${page.rows / page.y_dpi}`;
    picture.alt = `${words.page} ${page.number}`;
    picture.className = "sheet";
    picture.loading = "lazy";
    const name = page.file === null ? words.cover : `${words.page} ${page.number}`;
    const tools = element("div", element("span", name, "faint"), "tools");
    if (page.file !== null) {
      const index = page.number - 1 - cover;
      const key = `${page.file}-${page.page}`;
      const button = (word, act, disabled = false) => {
        const made = plainButton(word, act);
        made.setAttribute("aria-label", `${word}: ${words.page} ${page.number}`);
        made.dataset.key = `${key} ${word}`;
        made.disabled = disabled;
        tools.append(made);
      };
      button(words.turn, edit(index, { turn: (page.turn + 1) % 4 }));
      button(words.darker, edit(index, { lightness: page.lightness - 1 }), page.lightness <= -3);
      button(words.lighter, edit(index, { lightness: page.lightness + 1 }), page.lightness >= 3);
      const photo = page.treatment === "photo";
      button(photo ? words.as_text : words.as_photo, edit(index, { treatment: photo ? "text" : "photo" }));
      if (own.length > 1) {
        button(words.up, move(index, -1), index === 0);
        button(words.down, move(index, +1), index === own.length - 1);
        button(words.leave_out, leave(index));
      }
    }
    return element("li", [picture, tools]);
  });
  leftOut.forEach((page, index) => {
    const text = `${words.left_out}: ${preview.files[page.file]?.name ?? ""}, ${words.page} ${page.page} `;
    items.push(element("li", [text, plainButton(words.put_back, () => putBack(index))], "left-out"));
  });
  root.replaceChildren(...items);
  if (focused) root.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}
