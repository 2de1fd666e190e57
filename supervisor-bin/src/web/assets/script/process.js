// The head of a process's page: its state, its usage, the history of its states.

class Present {
  constructor(element) {
    this.element = element;
    this.name = element.dataset.name;
    setInterval(() => {
      if (this.line && this.line.since !== null) setText(element.querySelector(".text"), description(this.line));
    }, 1000);
  }

  hello({ processes }) {
    const line = processes.find((other) => other.name === this.name);
    if (line) this.show(line);
    this.usage();
  }

  change({ processes, removed }) {
    if (removed.includes(this.name)) showMessage(`${this.name} is no longer there`);
    const line = processes.find((other) => other.name === this.name);
    if (line) this.show(line);
    this.usage();
  }

  show(line) {
    const before = this.line ?? this.element.dataset;
    const same = before.state === line.state && String(before.pid ?? "") === String(line.pid ?? "");
    this.line = line;
    showProcess(this.element, line);
    if (!same) this.tellHistory();
  }

  usage() {
    $("usage").hidden = usages.now(this.name, 2) === null;
    for (const kind of ["cpu", "memory"]) drawUsage($("usage").querySelector(`.${kind}`), this.name, kind, true);
  }

  // The daemon writes it; here it is only put into place.
  async tellHistory() {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    try {
      const answer = await fetch(address(`tail.html?processname=${encode(this.name)}`, location));
      const told = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("history");
      if (told) $("history").replaceWith(document.adoptNode(told));
    } catch { /* The next change asks again. */ }
    this.asking = false;
    if (this.again) {
      this.again = false;
      this.tellHistory();
    }
  }
}
