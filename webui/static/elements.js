// Elements that scripts put on a page.

// `content` is a text or an element, or several.
export function element(name, content = "", kind = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...[content].flat());
  return made;
}

export function plainButton(text, act) {
  const made = element("button", text, "plain");
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

// Shows the problem document of a refusal in `place`.
export function showRefusal(place, problem) {
  place.replaceChildren(element("strong", problem.title), ...(problem.advice ? [element("p", problem.advice)] : []));
  place.hidden = false;
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u;
// What keeps text in another direction from turning numbers beside it (Unicode's FSI and PDI).
const isolated = (text) => (RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text);

// The parts that there are, in one line.
export const joined = (parts) => parts.filter(Boolean).map(isolated).join(" · ");
