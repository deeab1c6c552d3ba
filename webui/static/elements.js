// Elements that scripts put on a page.

export function line(name, text, kind = "") {
  const made = document.createElement(name);
  made.className = kind;
  made.append(text);
  return made;
}

// Shows the problem document of a refusal in `place`.
export function showRefusal(place, problem) {
  place.replaceChildren(line("strong", problem.title), line("p", problem.advice ?? ""));
  place.hidden = false;
}
