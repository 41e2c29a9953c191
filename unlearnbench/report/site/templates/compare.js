"use strict";
const one = (selector) => document.querySelector(selector);
const methods = JSON.parse(one("#data").textContent);
const [first, second] = [one("#first"), one("#second")];

function cell(tag, text, link) {
  const made = document.createElement(tag);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = text;
    made.append(anchor);
  } else {
    made.textContent = text;
  }
  return made;
}

function better(a, b, x, y) {
  if (!x.ranked || !y.ranked) return "not ranked";
  if (x.ahead.includes(b.label)) return a.label;
  return y.ahead.includes(a.label) ? b.label : "neither";
}

function compare() {
  const [a, b] = [methods[first.value], methods[second.value]];
  const key = (number) => JSON.stringify([number.board, number.place, number.column]);
  const others = new Map(b.numbers.map((number) => [key(number), number]));
  const pairs = a.numbers.filter((number) => others.has(key(number))).map((number) => [number, others.get(key(number))]);
  one("#first-head").textContent = a.label;
  one("#second-head").textContent = b.label;
  const rows = pairs.map(([x, y]) => {
    const row = document.createElement("tr");
    const name = cell("th", `${x.board}: ${x.place}`, x.link);
    name.scope = "row";
    name.className = "name";
    const text = (number) => (number.rank ? `${number.text} #${number.rank}` : number.text);
    const numbers = [text(x), text(y)].map((word) => cell("td", word));
    for (const number of numbers) number.className = "number";
    const verdict = cell("td", better(a, b, x, y));
    verdict.className = "verdict";
    row.append(name, cell("td", x.column), ...numbers, verdict);
    return row;
  });
  one("#rows").replaceChildren(...rows);
  one("#numbers").hidden = !rows.length;
  const won = (method) => pairs.filter(([x, y]) => better(a, b, x, y) === method.label).length;
  const told = a.axis === b.axis && a !== b ? `${a.label} is significantly better in ${won(a)}, ${b.label} in ${won(b)}.` : "";
  one("#verdict").textContent = `${pairs.length} numbers in common. ${told}`;
  history.replaceState(null, "", `#${first.value}/${second.value}`);
}

function choose() {
  const [left, right] = decodeURIComponent(location.hash.slice(1)).split("/");
  const names = [...first.options].map((option) => option.value);
  if (methods[left]) first.value = left;
  const other = names.find((name) => name !== first.value && methods[name].axis === methods[first.value].axis);
  second.value = methods[right] ? right : (other ?? first.value);
}

if (first.options.length) {
  one("#choose").hidden = false;
  one("#choose").addEventListener("change", compare);
  one("#choose").addEventListener("submit", (event) => event.preventDefault());
  choose();
  compare();
}
