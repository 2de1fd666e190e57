// Which processes are shown, in which order. Both stand in the address, so that a page can be kept and passed on.

const STATES = ["FATAL", "BACKOFF", "UNKNOWN", "STARTING", "STOPPING", "RUNNING", "EXITED", "STOPPED"];

class Filter {
  constructor(table) {
    this.table = table;
    this.order = "group";
    this.chips = [...$("states").querySelectorAll("input")];
    $("filters").hidden = false;
    this.readAddress();
    $("find").addEventListener("input", () => this.changed());
    $("order").addEventListener("change", () => this.setOrder($("order").value));
    for (const chip of this.chips) chip.addEventListener("change", () => this.changed());
    for (const head of table.element.querySelectorAll("thead [data-order]")) this.makeSortable(head);
    table.element.addEventListener("pointerleave", () => this.sort());
    this.showOrder();
    addEventListener("hashchange", () => { this.readAddress(); this.showOrder(); this.apply(); this.sort(); });
  }

  makeSortable(head) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.onclick = () => this.setOrder(this.next(head.dataset.order));
    head.append(button);
  }

  // What a heading leads to: its order, then (for times) the other way round, then the groups again.
  next(order) {
    if (order === "uptime" && this.order === "uptime") return "young";
    const own = order === "uptime" ? this.order === "young" : this.order === order;
    return own ? "group" : order;
  }

  setOrder(order) {
    this.order = order;
    this.showOrder();
    this.writeAddress();
    this.sort(true);
  }

  showOrder() {
    $("order").value = this.order;
    for (const head of this.table.element.querySelectorAll("thead [data-order]")) {
      const mine = head.dataset.order === (this.order === "young" ? "uptime" : this.order);
      if (mine) head.setAttribute("aria-sort", ["name", "state", "young"].includes(this.order) ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  }

  readAddress() {
    const kept = new URLSearchParams(location.hash.slice(1));
    $("find").value = kept.get("name") ?? "";
    const states = (kept.get("state") ?? "").split(",");
    for (const chip of this.chips) chip.checked = states.includes(chip.value);
    this.order = [...$("order").options].some((option) => option.value === kept.get("order")) ? kept.get("order") : "group";
  }

  writeAddress() {
    const kept = new URLSearchParams();
    if ($("find").value) kept.set("name", $("find").value);
    const states = this.chips.filter((chip) => chip.checked).map((chip) => chip.value);
    if (states.length) kept.set("state", states.join(","));
    if (this.order !== "group") kept.set("order", this.order);
    history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
  }

  changed() {
    this.writeAddress();
    this.apply();
  }

  apply() {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = new Set(this.chips.filter((chip) => chip.checked).map((chip) => chip.value));
    const counts = new Map();
    let shown = 0;
    const full = new Set();
    for (const [name, line] of this.table.lines) {
      counts.set(line.state, (counts.get(line.state) ?? 0) + 1);
      const lower = name.toLowerCase();
      const matches = words.every((word) => lower.includes(word)) && (!states.size || states.has(line.state));
      const row = this.table.rows.get(name);
      if (row.hidden === matches) row.hidden = !matches;
      if (!matches) continue;
      shown += 1;
      full.add(line.group);
    }
    for (const [name, body] of this.table.groups) body.hidden = !full.has(name) || this.order !== "group";
    for (const chip of this.chips) {
      const count = counts.get(chip.value) ?? 0;
      const label = chip.closest("label");
      setText(label.querySelector("b"), String(count));
      label.hidden = count === 0 && !chip.checked;
    }
    const all = this.table.lines.size;
    setText($("shown"), words.length || states.size ? `${shown} of ${all} shown` : `${all} in all`);
    $("nomatch").hidden = shown > 0 || all === 0;
    if (all) this.table.element.hidden = shown === 0;
  }

  compare() {
    const usage = (which) => (line) => usages.now(line.name, which) ?? -1;
    const by = {
      name: () => 0,
      state: (line) => STATES.indexOf(line.state),
      uptime: (line) => line.since ?? Infinity,
      young: (line) => -(line.since ?? -Infinity),
      cpu: (line) => -usage(1)(line),
      memory: (line) => -usage(2)(line),
    }[this.order];
    const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    return (a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : byName(a, b));
  }

  // Puts rows into order; while somebody points at one or works in it, they stay where they are.
  sort(now = false) {
    const { table } = this;
    if (this.order === "group") {
      if (table.flat.hidden) return;
      for (const line of [...table.lines.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        table.groups.get(line.group).append(table.rows.get(line.name));
      }
      table.flat.hidden = true;
      this.apply();
      return;
    }
    const busy = table.element.matches(":hover") || table.flat.contains(document.activeElement);
    const rest = [...table.groups.values()].some((body) => body.querySelector("tr[data-name]"));
    if (busy && !now && !rest) return;
    let place = table.flat.firstElementChild;
    for (const line of [...table.lines.values()].sort(this.compare())) {
      const row = table.rows.get(line.name);
      if (row === place) place = place.nextElementSibling;
      else table.flat.insertBefore(row, place);
    }
    table.flat.hidden = false;
    for (const body of table.groups.values()) body.hidden = true;
  }
}
