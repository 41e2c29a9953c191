"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const rows = all(".track tbody tr");
const filters = one("#filters");
const dialog = one("#detail");

// Sorting: the first click sorts in the column's own direction, the second in the other one, the third restores the order.
function keyOf(row, header) {
  const cell = row.cells[header.cellIndex];
  const { value } = cell.dataset;
  if (value !== undefined) return value === "" ? null : Number(value);
  return cell.tagName === "TH" ? row.dataset.name : cell.textContent;
}

function compare(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
}

function sortBy(button) {
  const header = button.closest("th");
  const table = button.closest("table");
  const body = table.tBodies[0];
  const first = button.dataset.first;
  const second = first === "ascending" ? "descending" : "ascending";
  const before = header.getAttribute("aria-sort");
  const now = before === null ? first : before === first ? second : null;
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  if (now) header.setAttribute("aria-sort", now);
  table.classList.toggle("sorted", now !== null);
  const sign = now === "descending" ? -1 : 1;
  const keyed = all("tr", body).map((row) => ({ row, index: rows.indexOf(row), key: now && keyOf(row, header) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.index - b.index; // n/a is last
    return sign * compare(a.key, b.key) || a.index - b.index;
  });
  body.append(...keyed.map(({ row }) => row));
  say(now ? `Sorted by ${button.textContent.trim()}, ${now}` : "Original order");
}

// Filtering: all tables and figures at once.
function filter() {
  const words = one("#find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const others = one("#others").checked;
  const chosen = all("select", filters).filter((select) => select.value);
  const fits = (element) => chosen.every((select) => element.dataset[select.dataset.axis] === select.value);
  for (const row of rows) {
    const { name, scenario, dataset } = row.dataset;
    const text = [name, one(".setting", row).textContent, scenario, dataset, row.className].join(" ").toLowerCase();
    row.hidden = !(fits(row) && (others || row.classList.contains("entry")) && words.every((word) => text.includes(word)));
  }
  for (const figure of all("figure")) figure.hidden = !fits(figure);
  for (const row of all(".heat tbody tr")) row.hidden = !others && !row.classList.contains("entry");
  let shown = 0;
  for (const track of all(".track")) {
    const visible = all("tbody tr", track).filter((row) => !row.hidden).length;
    const count = one(".count", track);
    shown += visible;
    count.textContent = visible === Number(count.dataset.all) ? visible : `${visible} of ${count.dataset.all}`;
    one(".empty", track).hidden = visible > 0;
    one(".scroll", track).hidden = visible === 0;
  }
  say(`${shown} of ${rows.length} rows shown`);
}

// Columns: each table has its own choice; what a narrow screen leaves out can be chosen too.
for (const choice of all(".columns")) {
  const track = choice.closest(".track");
  const cells = (key) => all("tr", track).map((row) => row.cells[one(`th[data-column="${key}"]`, track).cellIndex]);
  for (const box of all("input", choice)) {
    box.checked = getComputedStyle(cells(box.dataset.column)[0]).display !== "none";
    box.addEventListener("change", () => {
      for (const cell of cells(box.dataset.column)) {
        cell.classList.toggle("off", !box.checked);
        cell.classList.toggle("on", box.checked);
      }
    });
  }
  choice.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    choice.open = false;
    one("summary", choice).focus();
  });
  choice.hidden = false;
}
document.addEventListener("click", (event) => {
  for (const choice of all(".columns[open]")) if (!choice.contains(event.target)) choice.open = false;
});

function say(text) {
  one("#status").textContent = text;
}

// Details: a dialog, which the browser closes on Escape; it then returns the focus. A number is that of a shared part.
const { shared, details } = JSON.parse(one("#details").textContent);

function markup(part) {
  if (typeof part === "number") return markup(shared[part]);
  return typeof part === "string" ? part : part.map(markup).join("");
}

function open(id) {
  if (!Object.hasOwn(details, id)) return;
  const body = one("#detail-body");
  body.innerHTML = markup(details[id]);
  for (const include of all("[data-include]", body)) {
    include.replaceWith(document.getElementById(include.dataset.include).content.cloneNode(true));
  }
  dialog.showModal();
  dialog.scrollTop = 0;
  history.replaceState(null, "", `#${id}`);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.classList.contains("sort")) sortBy(button);
  if (button?.classList.contains("open")) open(button.closest("tr").id);
  if (event.target === dialog) dialog.close(); // the backdrop
});
dialog.addEventListener("close", () => history.replaceState(null, "", location.pathname + location.search));
filters.addEventListener("input", filter);
filters.addEventListener("change", filter); // not all browsers send input for a choice
filters.addEventListener("submit", (event) => event.preventDefault());
filters.hidden = false;
if (location.hash) open(location.hash.slice(1));
filter();
