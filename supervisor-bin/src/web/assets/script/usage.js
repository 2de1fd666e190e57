// CPU and memory: numbers, and a graph of the last minutes. Between two samples the earlier one holds.

const MINUTES = 5;
const WINDOW = MINUTES * 60_000;

// By name: when, CPU in tenths of a percent, memory in bytes; `null` where nothing is known.
class Samples {
  constructor() {
    this.lists = new Map();
  }

  // A sample that says what the last one said is none.
  add(name, usage) {
    const list = this.lists.get(name) ?? [];
    const [now, cpu, memory] = [Date.now(), usage?.[0] ?? null, usage?.[1] ?? null];
    const last = list.at(-1) ?? [0, null, null];
    if (last[1] === cpu && last[2] === memory) return;
    list.push([now, cpu, memory]);
    const old = list.findLastIndex((sample) => sample[0] < now - WINDOW);
    // The last of the old ones says what held when the window begins.
    if (old > 0) list.splice(0, old);
    this.lists.set(name, list);
  }

  remove(name) {
    this.lists.delete(name);
  }

  retain(names) {
    for (const name of this.lists.keys()) if (!names.has(name)) this.lists.delete(name);
  }

  replace(lists) {
    this.lists.clear();
    for (const [name, list] of lists) this.lists.set(name, [...list]);
  }

  // Adds what was known before.
  remember(lists) {
    for (const [name, old] of lists) {
      const list = this.lists.get(name) ?? [];
      const earlier = old.filter((sample) => sample[0] < (list[0]?.[0] ?? Infinity));
      if (earlier.length) this.lists.set(name, [...earlier, ...list]);
    }
  }

  of(name) {
    return this.lists.get(name) ?? [];
  }

  // `which`: 1 for CPU, 2 for memory.
  now(name, which) {
    return this.of(name).at(-1)?.[which] ?? null;
  }
}

const usages = new Samples();

// Over to the next page of this tab.
const MEMORY = "supervisor usage";

function memorize() {
  try {
    sessionStorage.setItem(MEMORY, JSON.stringify([...usages.lists].slice(0, 500)));
  } catch { /* Full or forbidden: the graph begins anew. */ }
}

function recall() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(MEMORY) ?? "[]");
    const from = Date.now() - WINDOW;
    for (const [, list] of kept) {
      const last = list.at(-1);
      // What was in between is unknown.
      if (last && last[1] !== null) list.push([last[0] + 2500, null, null]);
    }
    return kept.filter(([, list]) => list.length && list.at(-1)[0] > from);
  } catch {
    return [];
  }
}

function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (number >= 1024 && unit < units.length - 1) { number /= 1024; unit += 1; }
  return `${number >= 100 || unit === 0 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`;
}

function percent(tenths) {
  return `${tenths >= 1000 ? Math.round(tenths / 10) : (tenths / 10).toFixed(1)} %`;
}

// Which number of a sample, in which words, and the least that fills a graph.
const SHOWN = { cpu: [1, percent, 50], memory: [2, bytes, 1 << 20] };

function drawUsage(cell, name, kind, large) {
  const [which, words, least] = SHOWN[kind];
  const list = usages.of(name);
  const now = usages.now(name, which);
  if (usages.now(name, SHOWN.memory[0]) === null) {
    if (cell.firstChild) cell.replaceChildren();
    return;
  }
  let reading = cell.firstChild;
  if (!reading) {
    reading = document.createElement("div");
    reading.className = "reading";
    reading.append(document.createElement("span"), ...(large ? [document.createElement("small")] : []), graph(large));
    cell.append(reading);
  }
  // A rate needs two looks.
  const text = now === null ? "–" : words(now);
  if (reading.firstChild.textContent !== text) reading.firstChild.textContent = text;
  const highest = list.reduce((most, sample) => Math.max(most, sample[which] ?? 0), 0);
  if (large) reading.children[1].textContent = `highest ${words(highest)} in the last ${MINUTES} minutes`;
  drawGraph(reading.lastChild, list, which, Math.max(highest * 1.1, least));
}

const WIDTH = 300;
const HEIGHT = 40;

function graph(large) {
  const make = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const size = large ? {} : { width: 64, height: 20 };
  const svg = make("svg", { class: "graph", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true", ...size });
  svg.append(make("path", { class: "area" }), make("path", { class: "curve" }));
  return svg;
}

function drawGraph(svg, list, which, most) {
  const now = Date.now();
  const x = (time) => Math.max(0, WIDTH * (1 - (now - time) / WINDOW)).toFixed(1);
  const y = (value) => (HEIGHT - 1 - (HEIGHT - 2) * value / most).toFixed(1);
  let curve = "", area = "";
  for (let index = 0; index < list.length; index += 1) {
    const [time, value] = [list[index][0], list[index][which]];
    if (value === null) continue;
    const begins = index === 0 || list[index - 1][which] === null;
    const end = x(list[index + 1]?.[0] ?? now);
    curve += begins ? `M${x(time)} ${y(value)}H${end}` : `V${y(value)}H${end}`;
    area += `M${x(time)} ${HEIGHT}V${y(value)}H${end}V${HEIGHT}Z`;
  }
  svg.firstChild.setAttribute("d", area);
  svg.lastChild.setAttribute("d", curve);
}
