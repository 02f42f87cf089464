// A long name is wrapped between its words, and a short one not at all: browsers break options after
// their hyphens, and long names anywhere.
for (const name of document.querySelectorAll("article .pre, .genindextable a")) {
  const text = name.textContent;
  const words = text.split(/(?<=[A-Za-z]{2}[_./=(,])(?=[\w"]{4})|(?<=[a-z])(?=[A-Z])/);
  if (text.length <= (name.closest("td") ? 17 : 20) || (words.length === 1 && text.length <= 20)) {
    name.classList.add("whole");
  } else {
    const breaks = words.slice(1).flatMap((word) => [document.createElement("wbr"), word]);
    name.replaceChildren(words[0], ...breaks);
  }
}

// The name of a module may be on a line of its own.
for (const module of document.querySelectorAll("article .sig-prename")) {
  module.after(document.createElement("wbr"));
}
