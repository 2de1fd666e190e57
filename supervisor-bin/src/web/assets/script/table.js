// The table of all processes: kept as the daemon tells, without redrawing what has not changed.

// What the daemon wrote into a row, so that filter and order work before it tells more, and where it cannot.
function written(row) {
  const { name, group, state, pid = null } = row.dataset;
  const text = row.querySelector(".text").textContent;
  const clock = /uptime (?:(\d+) days?, )?(\d+):(\d+):(\d+)$/.exec(state === "RUNNING" ? text : "");
  if (!clock) return { name, group, state, pid, since: null, text };
  const [days, hours, minutes, seconds] = clock.slice(1).map((digits) => Number(digits ?? 0));
  const uptime = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  return { name, group, state, pid, since: Date.now() - 1000 * uptime, text };
}

class Table {
  constructor(element) {
    this.element = element;
    this.lines = new Map();
    this.rows = new Map();
    this.groups = new Map();
    this.blank = $("blank").content;
    this.seen = new Set();
    this.eye = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) this.draw(entry.target);
        this.seen[entry.isIntersecting ? "add" : "delete"](entry.target);
      }
    }, { rootMargin: "200px" });
    for (const body of element.tBodies) this.groups.set(body.dataset.group, body);
    for (const row of element.querySelectorAll("tr[data-name]")) {
      this.adopt(row);
      this.lines.set(row.dataset.name, written(row));
    }
    this.flat = document.createElement("tbody");
    this.flat.hidden = true;
    element.append(this.flat);
    this.filter = new Filter(this);
    this.settle();
    setInterval(() => this.tick(), 1000);
  }

  adopt(row) {
    this.rows.set(row.dataset.name, row);
    this.eye.observe(row);
  }

  hello({ processes }) {
    const names = new Set(processes.map((line) => line.name));
    for (const name of [...this.rows.keys()]) if (!names.has(name)) this.remove(name);
    for (const line of processes) this.update(line, false);
    this.settle();
    this.usage();
  }

  change({ processes, removed }) {
    for (const name of removed) this.remove(name);
    for (const line of processes) this.update(line, true);
    this.settle();
    for (const { name } of processes) if (this.seen.has(this.rows.get(name))) this.draw(this.rows.get(name));
  }

  usage() {
    for (const row of this.seen) this.draw(row);
    if (["cpu", "memory"].includes(this.filter.order)) this.filter.sort();
  }

  update(line, mark) {
    const row = this.rows.get(line.name) ?? this.insert(line);
    const changed = row.dataset.state !== line.state;
    this.lines.set(line.name, line);
    showProcess(row, line);
    if (!mark || !changed) return;
    row.classList.remove("changed");
    // Begins the fading anew.
    requestAnimationFrame(() => row.classList.add("changed"));
  }

  insert(line) {
    const row = this.copy("tr[data-name]", line.name);
    row.dataset.group = line.group;
    const body = this.groups.get(line.group) ?? this.insertGroup(line.group);
    const later = [...body.querySelectorAll("tr[data-name]")].find((other) => other.dataset.name > line.name);
    body.insertBefore(row, later ?? null);
    this.adopt(row);
    return row;
  }

  insertGroup(name) {
    const body = document.createElement("tbody");
    body.dataset.group = name;
    const later = [...this.groups.keys()].filter((other) => other > name).sort()[0];
    this.element.insertBefore(body, later === undefined ? this.flat : this.groups.get(later));
    this.groups.set(name, body);
    return body;
  }

  // A copy of what the daemon sent as a pattern, with this name in it.
  copy(what, name) {
    const copy = this.blank.querySelector(what).cloneNode(true);
    for (const element of [copy, ...copy.querySelectorAll("*")]) {
      for (const attribute of element.attributes) {
        const isAddress = ["href", "formaction"].includes(attribute.name);
        attribute.value = attribute.value.replaceAll("NAME", () => isAddress ? encode(name) : name);
      }
    }
    const title = copy.querySelector("th a") ?? copy.querySelector("th").firstChild;
    title.textContent = copy.classList.contains("group") ? `${name} ` : name;
    return copy;
  }

  remove(name) {
    const row = this.rows.get(name);
    if (!row) return;
    this.eye.unobserve(row);
    this.seen.delete(row);
    row.remove();
    this.rows.delete(name);
    this.lines.delete(name);
  }

  // After changes: headings, numbers, filter and order.
  settle() {
    const members = new Map();
    for (const line of this.lines.values()) {
      if (!members.has(line.group)) members.set(line.group, []);
      members.get(line.group).push(line);
    }
    for (const [name, body] of this.groups) {
      const lines = members.get(name);
      if (!lines) {
        body.remove();
        this.groups.delete(name);
        continue;
      }
      let heading = body.querySelector("tr.group");
      const needed = lines.some((line) => line.name !== name);
      if (needed && !heading) body.prepend(heading = this.copy("tr.group", name));
      if (!needed) heading?.remove();
      if (!needed) continue;
      setText(heading.querySelector(".up"), String(lines.filter((line) => line.state === "RUNNING").length));
      setText(heading.querySelector(".members"), String(lines.length));
    }
    const empty = this.lines.size === 0;
    this.element.hidden = empty;
    $("none").hidden = !empty;
    $("everything").hidden = empty;
    const bad = [...this.lines.values()].filter((line) => line.state === "FATAL").length;
    document.title = bad ? `(${bad} fatal) ${page.title}` : page.title;
    this.filter.apply();
    this.filter.sort();
  }

  draw(row) {
    const name = row.dataset.name;
    for (const kind of ["cpu", "memory"]) drawUsage(row.querySelector(`.${kind}`), name, kind, false);
    const line = this.lines.get(name);
    if (line) setText(row.querySelector(".text"), description(line));
  }

  // Only clocks that are seen go on.
  tick() {
    if (document.hidden) return;
    for (const row of this.seen) {
      const line = this.lines.get(row.dataset.name);
      if (line && line.since !== null) setText(row.querySelector(".text"), description(line));
    }
  }
}
