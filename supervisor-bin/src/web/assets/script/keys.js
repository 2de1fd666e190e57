// Work without a mouse. Single keys can be turned off, for people whose tools type them.

const KEYS = "supervisor single keys";

function startKeys() {
  $("help").hidden = false;
  $("help").onclick = () => $("keys").showModal();
  try {
    $("single").checked = localStorage.getItem(KEYS) !== "off";
  } catch { /* Not kept, then. */ }
  $("single").onchange = () => {
    try {
      localStorage.setItem(KEYS, $("single").checked ? "on" : "off");
    } catch { /* Holds until the page is left. */ }
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !$("single").checked) return;
    if (document.querySelector("dialog[open]") || event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
    const action = ACTIONS[event.key];
    if (action && action() !== false) event.preventDefault();
  });
}

const ACTIONS = {
  "/": () => ($("find") ?? $("search"))?.focus() ?? undefined,
  "?": () => $("keys").showModal(),
  g: () => { location.href = "./"; },
  j: () => move(1),
  k: () => move(-1),
  s: () => press("start"),
  x: () => press("stop"),
  r: () => press("restart"),
  c: () => press("clear"),
  f: () => $("follow")?.click(),
  n: () => $("next")?.click(),
  N: () => $("previous")?.click(),
};

function leave(event) {
  const menu = event.target.closest?.("details.more[open]");
  if (menu) {
    menu.open = false;
    menu.firstElementChild.focus();
  }
  if (event.target.matches?.("input[type=search]")) {
    event.target.value = "";
    event.target.dispatchEvent(new Event("input"));
    event.target.blur();
  }
}

function move(by) {
  const rows = [...document.querySelectorAll("#table tr[data-name]:not([hidden])")].filter((row) => !row.parentElement.hidden);
  if (!rows.length) return false;
  const at = rows.indexOf(document.activeElement?.closest?.("tr"));
  const to = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  const link = rows[to].querySelector("th a");
  link.focus({ preventScroll: true });
  rows[to].scrollIntoView({ block: "nearest" });
  return true;
}

// The button of the process that is worked in, or whose page this is.
function press(verb) {
  const place = document.activeElement?.closest?.("tr[data-name]") ?? $("present");
  const button = place?.querySelector(`[data-verb="${verb}"]:not([hidden])`);
  if (!button) return false;
  act(button);
  return true;
}
