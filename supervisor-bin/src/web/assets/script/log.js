// The log view: follows, pauses, searches, keeps the last lines only.

const KEPT = 5000;
const LONGEST_LINE = 20_000;
const TITLES = { stdout: "Standard output", stderr: "Standard error", main: "Log of supervisord" };
const ESCAPES = /\x1b(?:\[[0-9;?]*[ -\/]*[@-~]|\][^\x07]*\x07)/g;

class LogView {
  constructor(view) {
    this.view = view;
    this.logs = view.dataset.logs.split("\n");
    this.lines = [];
    this.fresh = [];
    this.open = new Map();
    this.stale = new Set();
    this.following = true;
    this.box = $("log") ?? this.makeBox();
    this.box.classList.add("lines");
    this.box.textContent = "";
    $("tools").hidden = false;
    for (const box of $("channels").querySelectorAll("input")) {
      box.checked = box.value === (view.dataset.channel || "stdout") || this.logs.length === 1;
      box.addEventListener("change", () => this.connect());
    }
    $("follow").onclick = () => this.follow(!this.following, true);
    $("wrap").onchange = () => this.box.classList.toggle("long", !$("wrap").checked);
    this.box.addEventListener("scroll", () => this.scrolled());
    this.search = new Search(this);
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.connect()));
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.connect(); });
    this.wait = FIRST_WAIT;
    if (!document.hidden) this.connect();
  }

  makeBox() {
    const box = document.createElement("pre");
    Object.assign(box, { id: "log", tabIndex: 0 });
    for (const [key, value] of Object.entries({ role: "log", "aria-live": "off", "aria-label": "Lines of the log" })) box.setAttribute(key, value);
    $("problem").replaceWith(box);
    return box;
  }

  chosen() {
    const wanted = [...$("channels").querySelectorAll("input:checked")].map((box) => box.value);
    return this.logs.length === 1 ? this.logs : this.logs.filter((log) => wanted.includes(log.split(":")[0]));
  }

  // What comes over a new connection begins with what was there: it takes the place of what is shown.
  connect() {
    this.close();
    const logs = this.chosen();
    setText($("loghead"), logs.map((log) => TITLES[log.split(":")[0]]).join(" and ") || "No log chosen");
    this.silent = new Set(logs.length > 1 ? logs : []);
    if (!logs.length) {
      this.restart();
      this.drawSoon();
      return;
    }
    this.stream = new EventSource(address(`live/logs?${logs.map((log) => `log=${encode(log)}`).join("&")}`, location));
    this.stream.onerror = () => this.cut();
    for (const kind of ["hello", "log", "beat"]) {
      this.stream.addEventListener(kind, (event) => {
        this.watch();
        if (kind === "hello") this.welcome();
        if (kind === "log") this.take(JSON.parse(event.data));
      });
    }
    this.watch();
  }

  welcome() {
    this.wait = FIRST_WAIT;
    this.isCut = false;
    this.restart();
  }

  // What is shown stays, and can be searched, until it is drawn anew.
  restart() {
    this.fresh = [];
    this.open.clear();
    this.stale.clear();
    this.clearing = true;
    this.drawSoon();
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    this.stream?.close();
    this.stream = undefined;
  }

  watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.cut(), SILENCE);
  }

  cut() {
    this.close();
    this.isCut = true;
    this.tell();
    this.timer = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  take({ log, text, problem }) {
    const channel = log.split(":")[0];
    // Of what was there before, nobody knows what came first in which log.
    if (this.silent.delete(log) && !problem) this.add("note", `${TITLES[channel]} up to now:`);
    if (problem) {
      this.add("note", `${log === "main" ? "supervisord" : log.replace(":", " of ")}: ${problem}`);
    } else {
      const parts = text.replace(ESCAPES, "").split("\n");
      const rest = parts.pop();
      for (const part of parts) this.end(channel, part);
      if (rest) this.begin(channel, rest);
    }
    this.drawSoon();
  }

  // A line that may still grow.
  begin(channel, text) {
    const line = this.open.get(channel) ?? this.add(channel, "");
    if (line.text.length < LONGEST_LINE) line.text += text.slice(0, LONGEST_LINE - line.text.length);
    if (line.element) this.stale.add(line);
    this.open.set(channel, line);
    return line;
  }

  end(channel, text) {
    this.begin(channel, text);
    this.open.delete(channel);
  }

  add(channel, text) {
    const line = { channel, text };
    this.fresh.push(line);
    // What nobody will see is not kept, even while nothing is drawn.
    if (this.fresh.length > 2 * KEPT) this.fresh.splice(0, this.fresh.length - KEPT);
    return line;
  }

  drawSoon() {
    this.frame ??= setTimeout(() => { this.frame = undefined; this.draw(); }, 80);
  }

  draw() {
    if (!this.following) {
      this.tell();
      return;
    }
    if (this.clearing) {
      this.clearing = false;
      this.lines = [];
      this.box.replaceChildren();
      this.search.forget();
    }
    if (this.fresh.length > KEPT) this.fresh.splice(0, this.fresh.length - KEPT);
    for (const line of this.stale) {
      line.element.textContent = line.text;
      if (!line.element.classList.contains("hit")) this.search.look([line]);
    }
    this.stale.clear();
    const part = document.createDocumentFragment();
    for (const line of this.fresh) {
      line.element = document.createElement("div");
      line.element.className = line.channel;
      if (line.channel === "stderr") line.element.title = "Standard error";
      line.element.textContent = line.text;
      part.append(line.element);
    }
    this.box.append(part);
    this.lines.push(...this.fresh);
    this.search.look(this.fresh);
    this.fresh = [];
    const gone = this.lines.splice(0, Math.max(0, this.lines.length - KEPT));
    for (const line of gone) line.element.remove();
    if (gone.length) this.search.drop();
    this.toEnd();
    this.tell();
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.bottom = this.box.scrollTop;
  }

  // Who scrolls up wants to read: nothing moves then, until the end is reached again.
  scrolled() {
    const below = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
    if (this.following && this.box.scrollTop < (this.bottom ?? 0) - 4 && below > 24) this.follow(false, false);
    else if (!this.following && !this.held && below < 2) this.follow(true, false);
  }

  // `held`: on purpose, not by scrolling; the end of the log does not change it then.
  follow(following, held) {
    this.following = following;
    this.held = !following && held;
    $("follow").setAttribute("aria-pressed", String(following));
    setText($("follow"), following ? "Pause" : "Follow");
    $("follow").classList.toggle("main", !following);
    if (following) {
      this.draw();
      this.toEnd();
    }
    this.tell();
  }

  tell() {
    const waiting = this.fresh.length;
    const number = (count) => `${count.toLocaleString("en")} line${count === 1 ? "" : "s"}`;
    let text = `Following, ${number(this.lines.length)}`;
    if (this.lines.length >= KEPT) text = `Following, the last ${number(KEPT)}`;
    if (!this.following) text = `Paused, ${number(Math.min(waiting, KEPT))} more since`;
    // What waits begins with what was there: how much of it is new, nobody knows.
    if (!this.following && this.clearing) text = "Paused, there may be more since";
    if (this.isCut) text = "Cut off, trying again…";
    setText($("following"), text);
  }
}

class Search {
  constructor(log) {
    this.log = log;
    this.hits = [];
    this.at = -1;
    this.marks = globalThis.Highlight && CSS.highlights ? new Highlight() : undefined;
    if (this.marks) CSS.highlights.set("found", this.marks);
    $("search").addEventListener("input", () => this.begin());
    $("search").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.step(event.shiftKey ? -1 : 1);
    });
    $("next").onclick = () => this.step(1);
    $("previous").onclick = () => this.step(-1);
    $("only").onchange = () => log.box.classList.toggle("only", $("only").checked && this.text !== "");
    this.text = "";
  }

  forget() {
    this.hits = [];
    this.at = -1;
    this.marks?.clear();
    this.tell();
  }

  begin() {
    for (const hit of this.hits) hit.line.element.classList.remove("hit", "current");
    this.text = $("search").value.toLowerCase();
    this.forget();
    this.look(this.log.lines);
    this.log.box.classList.toggle("only", $("only").checked && this.text !== "");
    for (const id of ["next", "previous"]) $(id).hidden = !this.text;
    $("only").closest("label").hidden = !this.text;
    if (this.hits.length && !$("only").checked) this.step(-1);
  }

  look(lines) {
    if (!this.text) return;
    for (const line of lines) {
      // What is shown of it: while nothing is drawn, it may have grown.
      const text = line.element.textContent;
      const lower = text.toLowerCase();
      let from = lower.indexOf(this.text);
      if (from < 0) continue;
      line.element.classList.add("hit");
      this.hits.push({ line });
      const node = line.element.firstChild;
      // Letters whose lower case is longer would shift the place: then the line alone is marked.
      if (!this.marks || lower.length !== text.length) continue;
      for (; from >= 0; from = lower.indexOf(this.text, from + this.text.length)) {
        const range = new Range();
        range.setStart(node, from);
        range.setEnd(node, from + this.text.length);
        this.marks.add(range);
      }
    }
    this.tell();
  }

  // Lines have gone at the top.
  drop() {
    const gone = this.hits.findIndex((hit) => hit.line.element.isConnected);
    const count = gone < 0 ? this.hits.length : gone;
    this.hits.splice(0, count);
    this.at = Math.max(-1, this.at - count);
    for (const range of this.marks ?? []) if (!range.startContainer.isConnected) this.marks.delete(range);
    this.tell();
  }

  step(by) {
    if (!this.hits.length) return;
    this.hits[this.at]?.line.element.classList.remove("current");
    const count = this.hits.length;
    this.at = this.at < 0 ? (by < 0 ? count - 1 : 0) : (this.at + by + count) % count;
    const { element } = this.hits[this.at].line;
    element.classList.add("current");
    this.log.follow(false, true);
    const { box } = this.log;
    box.scrollTop += element.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
    this.tell();
  }

  tell() {
    const count = this.hits.length;
    const place = this.at < 0 ? `${count}` : `${this.at + 1} of ${count}`;
    setText($("matches"), this.text ? (count ? place : "none") : "");
  }
}
