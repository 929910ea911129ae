"use strict";
// Sorts a table by the column whose title is clicked: numbers as numbers, the other way round at the second click.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const title = button.parentElement, table = title.closest("table"), body = table.tBodies[0];
    const falls = title.getAttribute("aria-sort") === "ascending";
    for (const other of title.parentElement.children) other.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", falls ? "descending" : "ascending");
    const text = (row) => row.cells[title.cellIndex].textContent;
    const rows = [...body.rows].sort((a, b) => text(a).localeCompare(text(b), undefined, { numeric: true }));
    body.append(...(falls ? rows.reverse() : rows));
  });
}
// On paper nothing can be unfolded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => { for (const details of folded) details.open = false; });
