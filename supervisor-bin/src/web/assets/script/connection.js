"use strict";

// What the daemon tells of all processes, received once for all pages of this browser that are seen: in a shared worker
// where there is one. Nobody looks, nothing is received; the daemon then does nothing either.

const SILENCE = 30_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

// An address of the daemon. A page that was opened as `http://user:password@…` must not pass that on: browsers refuse it
// there, and know the password by now.
function address(relative, base) {
  const url = new URL(relative, base);
  url.username = "";
  url.password = "";
  return url;
}

class Source {
  constructor(tell) {
    this.tell = tell;
    this.processes = new Map();
    this.samples = new Samples();
    this.wait = FIRST_WAIT;
    this.link = "wait";
  }

  open() {
    if (this.stream || this.timer) return;
    this.stream = new EventSource(address("../live", SCRIPT));
    this.stream.onerror = () => this.cut();
    for (const kind of ["hello", "change", "usage", "beat"]) {
      this.stream.addEventListener(kind, (event) => {
        this.watch();
        this[kind](JSON.parse(event.data));
      });
    }
    this.watch();
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    this.stream?.close();
    this.stream = this.timer = undefined;
    this.link = "wait";
  }

  cut() {
    this.close();
    this.link = "cut";
    this.tell({ kind: "link", link: this.link });
    // By lot, so that many pages do not come back in the same moment.
    this.timer = setTimeout(() => { this.timer = undefined; this.open(); }, this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  // A connection that says nothing for long is dead, whatever the system believes.
  watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.cut(), SILENCE);
  }

  keep(line) {
    line.since = line.uptime === null ? null : Date.now() - line.uptime;
    this.processes.set(line.name, line);
    this.samples.add(line.name, line.usage);
    return line;
  }

  hello(data) {
    this.wait = FIRST_WAIT;
    this.link = "live";
    Object.assign(this, { token: data.token, assets: data.assets, ending: data.ending });
    this.processes.clear();
    for (const line of data.processes) this.keep(line);
    this.samples.retain(this.processes);
    this.tell(this.all());
  }

  // Everything, for a page that comes late.
  all() {
    const { token, assets, ending, link } = this;
    return { kind: "hello", token, assets, ending, link, processes: [...this.processes.values()], samples: this.samples.lists };
  }

  change(data) {
    this.ending = data.ending;
    for (const name of data.removed) {
      this.processes.delete(name);
      this.samples.remove(name);
    }
    for (const line of data.processes) this.keep(line);
    this.tell({ kind: "change", ...data });
  }

  usage(data) {
    for (const [name, usage] of Object.entries(data)) {
      const line = this.processes.get(name);
      if (line) line.usage = usage ?? undefined;
      this.samples.add(name, usage);
    }
    this.tell({ kind: "usage", usage: data });
  }

  beat() {
    this.tell({ kind: "beat" });
  }
}

// In the worker: one source, many pages.
function servePages() {
  const seen = new Set();
  const source = new Source((message) => { for (const port of seen) port.postMessage(message); });
  self.onconnect = ({ ports: [port] }) => {
    port.onmessage = ({ data }) => {
      if (data.samples) source.samples.remember(data.samples);
      if (data.seen) {
        seen.add(port);
        if (source.link === "live") port.postMessage(source.all());
        else port.postMessage({ kind: "link", link: source.link });
        source.open();
      } else {
        seen.delete(port);
        if (!seen.size) source.close();
      }
    };
    port.start();
  };
}

// In a page: tells `deliver` while the page is seen.
function connect(deliver) {
  let say;
  const look = (samples) => say({ seen: document.visibilityState === "visible", samples });
  const alone = () => {
    const source = new Source(deliver);
    say = ({ seen, samples }) => {
      if (samples) source.samples.remember(samples);
      if (seen) source.open();
      else source.close();
    };
  };
  try {
    const worker = new SharedWorker(SCRIPT);
    worker.port.onmessage = ({ data }) => deliver(data);
    worker.onerror = () => { alone(); look(); };
    say = (message) => worker.port.postMessage(message);
  } catch {
    alone();
  }
  document.addEventListener("visibilitychange", () => look());
  addEventListener("pagehide", () => { say({ seen: false }); memorize(); });
  addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  look(recall());
}
