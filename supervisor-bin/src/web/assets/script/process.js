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
    else this.leave();
    this.usage();
  }

  change({ processes, removed }) {
    if (removed.includes(this.name)) this.leave();
    const line = processes.find((other) => other.name === this.name);
    if (line) this.show(line);
    this.usage();
  }

  show(line) {
    const before = this.line ?? this.element.dataset;
    const same = before.state === line.state && String(before.pid ?? "") === String(line.pid ?? "");
    this.line = line;
    showProcess(this.element, line);
    this.element.querySelector("[data-verb=clear]").hidden = false;
    if (!same) this.tellHistory();
  }

  // It has been removed: nothing more is known of it, and nothing can be done with it, unless it comes back.
  leave() {
    if (!this.element.dataset.state) return;
    showMessage(`${this.name} is no longer there`);
    this.line = undefined;
    delete this.element.dataset.state;
    delete this.element.dataset.pid;
    setText(this.element.querySelector(".state > span"), "Gone");
    setText(this.element.querySelector(".text"), `${this.name} is no longer there`);
    // The focus must not be lost with the button that has it.
    if (this.element.contains(document.activeElement)) $("content").focus({ preventScroll: true });
    for (const button of this.element.querySelectorAll("[data-verb]")) button.hidden = true;
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
