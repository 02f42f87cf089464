// On a phone, a table with more than two columns is a list: each row is a block of labelled cells.
// The style sheet lays it out; without this script such a table scrolls by itself.
for (const table of document.querySelectorAll("article .table-wrapper > table")) {
  const labels = Array.from(table.querySelectorAll("thead th"), (head) => head.textContent.trim());
  const rows = Array.from(table.querySelectorAll("tbody tr"));
  const values = rows.flatMap((row) => Array.from(row.cells).slice(1));
  const isNarrow = values.every((cell) => cell.textContent.trim().length < 9);
  if (labels.length < 3 || (labels.length < 5 && isNarrow)) continue;
  table.classList.add("as-list");
  // A browser drops the roles of a table that is not laid out as one.
  table.setAttribute("role", "table");
  for (const row of rows) {
    row.setAttribute("role", "row");
    Array.from(row.cells).forEach((cell, index) => {
      cell.setAttribute("role", "cell");
      cell.classList.toggle("empty", cell.textContent.trim() === "");
      if (labels[index]) cell.dataset.label = `${labels[index]}: `;
    });
  }
}
