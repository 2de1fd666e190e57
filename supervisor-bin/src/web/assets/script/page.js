// What every page has: the link to the daemon, messages, questions, actions.

const $ = (id) => document.getElementById(id);
const encode = encodeURIComponent;

const page = { token: "", title: "" };

function showLink(link) {
  const words = { live: "Live", cut: "Cut off, trying again…", wait: "Connecting…" };
  const element = $("link");
  if (element.dataset.link === link) return;
  element.dataset.link = link;
  element.textContent = words[link];
  element.hidden = false;
  document.documentElement.classList.toggle("cut", link === "cut");
}

function showEnding(ending) {
  $("ending").hidden = !ending;
  if (ending) $("ending").textContent = ending;
}

function showMessage(text) {
  const message = document.createElement("p");
  const failure = /^(ERROR|No such|unexpected)|, but not all/.test(text);
  message.className = failure ? "message failure" : "message";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet";
  close.textContent = "×";
  close.setAttribute("aria-label", "Dismiss this message");
  close.onclick = () => message.remove();
  message.append(words, close);
  $("messages").prepend(message);
  while ($("messages").childElementCount > 3) $("messages").lastElementChild.remove();
  // What went wrong stays until it has been seen to.
  if (!failure) setTimeout(() => message.remove(), 15_000);
}

function ask(question) {
  const dialog = $("sure");
  $("question").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}

async function act(button) {
  if (button.dataset.busy !== undefined) return;
  if (button.dataset.sure && !await ask(button.dataset.sure)) return;
  const menu = button.closest("details");
  if (menu) {
    menu.open = false;
    menu.firstElementChild.focus();
  }
  button.dataset.busy = "";
  button.setAttribute("aria-disabled", "true");
  try {
    const body = new URLSearchParams({ token: page.token });
    const answer = await fetch(address(button.formAction, location), { method: "POST", body, headers: { Accept: "application/json" } });
    const told = await answer.json();
    if (told.token) page.token = told.token;
    showMessage(told.message);
  } catch {
    showMessage("ERROR: supervisord did not answer; whether it was done is not known");
  } finally {
    delete button.dataset.busy;
    button.removeAttribute("aria-disabled");
  }
}

// A time as the daemon says it: `1 day, 2:03:04`.
function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const days = Math.floor(seconds / 86_400);
  const two = (number) => String(number).padStart(2, "0");
  const clock = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days ? `${days} day${days > 1 ? "s" : ""}, ${clock}` : clock;
}

function description(line) {
  return line.since === null ? line.text : `pid ${line.pid}, uptime ${duration(Date.now() - line.since)}`;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// State, description and buttons of a row or of the head of a process's page.
function showProcess(element, line) {
  element.dataset.state = line.state;
  if (line.pid === null) delete element.dataset.pid;
  else element.dataset.pid = line.pid;
  setText(element.querySelector(".state > span"), line.state);
  setText(element.querySelector(".text"), description(line));
  const offered = {
    start: ["STOPPED", "EXITED", "FATAL"],
    restart: ["RUNNING"],
    stop: ["STARTING", "RUNNING", "BACKOFF"],
  };
  const focused = document.activeElement;
  for (const [verb, states] of Object.entries(offered)) {
    const button = element.querySelector(`[data-verb="${verb}"]`);
    const hide = !states.includes(line.state);
    if (button.hidden !== hide) button.hidden = hide;
  }
  // The focus must not be lost with the button that had it.
  if (focused.hidden && element.contains(focused)) {
    element.querySelector("[data-verb]:not([hidden]), summary, a").focus();
  }
}

function startForms() {
  // They have buttons and no fields: Enter in a field presses the first button of its form, whatever that does.
  for (const form of document.querySelectorAll("form[data-acts]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      act(event.submitter);
    });
  }
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.more[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  // Only one at a time.
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches("details.more") || !event.target.open) return;
    for (const menu of document.querySelectorAll("details.more[open]")) if (menu !== event.target) menu.open = false;
  }, true);
}
