// The same script is the page's and the shared worker's.

const inPage = typeof document !== "undefined";
const SCRIPT = address(inPage ? document.currentScript.src : self.location, self.location).href;

function startPage() {
  document.documentElement.classList.add("live");
  Object.assign(page, { token: document.body.dataset.token, title: document.title });
  startForms();
  startKeys();
  const watchers = [];
  if ($("table")) watchers.push(new Table($("table")));
  if ($("present")) watchers.push(new Present($("present")));
  if ($("logview")?.dataset.logs) new LogView($("logview"));
  connect((message) => {
    if (message.kind === "link") return showLink(message.link);
    if (message.kind === "beat") return undefined;
    if (message.kind === "hello") {
      page.token = message.token;
      usages.replace(message.samples);
      if (message.assets !== document.body.dataset.assets && !page.told) {
        page.told = true;
        showMessage("supervisord has a newer page: reload to get it");
      }
    }
    showLink("live");
    if (message.kind === "usage") {
      for (const [name, usage] of Object.entries(message.usage)) usages.add(name, usage);
    } else {
      showEnding(message.ending);
    }
    if (message.kind === "change") {
      for (const line of message.processes) usages.add(line.name, line.usage);
      for (const name of message.removed) usages.remove(name);
    }
    for (const watcher of watchers) watcher[message.kind](message);
    return undefined;
  });
}

if (inPage) startPage();
else servePages();
