// What the frame does on every page: dialogs, menus, copying, the status line,
// theme and text size, local times, the global keys. Everything here makes
// plain HTML quicker or kinder; no page needs it to work.
import "./focus";
import "./own"; // before whoever hears keys
import { lock } from "./lock";
import "./media";
import "./signin";
import { isTyping } from "./typing";

const root = document.documentElement;

/** Says something in the polite status line. */
export function say(text: string): void {
  const line = document.getElementById("status");
  if (!line) return;
  // Emptied first: the same words said twice are announced twice.
  line.textContent = "";
  window.clearTimeout(quiet);
  window.setTimeout(() => {
    line.textContent = text;
    hush(line);
  }, 20);
}

let quiet = 0;

function hush(line: HTMLElement): void {
  window.clearTimeout(quiet);
  quiet = window.setTimeout(() => {
    line.textContent = "";
  }, 8000);
}

function openDialog(id: string): void {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  closeMenus();
  dialog.showModal();
  dialog.dispatchEvent(new CustomEvent("adjudge:open"));
}

function closeMenus(except?: Element | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open], details.switcher[open]")) {
    if (menu !== except) menu.open = false;
  }
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard on plain http: the old way.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(document.getElementById("status")?.dataset.copied ?? "");
}

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  closeMenus(target.closest("details.menu, details.switcher"));

  const refused = target.closest("[aria-disabled='true']");
  if (refused) {
    event.preventDefault();
    return;
  }
  const opener = target.closest<HTMLElement>("[data-dialog]");
  if (opener) {
    event.preventDefault();
    openDialog(opener.dataset.dialog ?? "");
    return;
  }
  const copier = target.closest<HTMLElement>("[data-copy]");
  if (copier) {
    void copy(copier.dataset.copy ?? "");
    return;
  }
  // A click beside an open dialog (on its backdrop) closes it.
  if (target instanceof HTMLDialogElement && target.open) {
    const box = target.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) target.close();
  }
});

/** Shows or hides the tables behind all charts of the page. */
function showTables(): void {
  const on = root.toggleAttribute("data-tables");
  for (const behind of document.querySelectorAll<HTMLDetailsElement>("details[data-table]")) behind.open = on;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openDialog("palette");
    return;
  }
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyT") {
    event.preventDefault();
    showTables();
    return;
  }
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyL") {
    event.preventDefault();
    lock();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z" && !event.defaultPrevented && !isTyping(event.target)) {
    const undo = document.querySelector<HTMLFormElement>("form[data-undo]");
    if (undo) {
      event.preventDefault();
      undo.requestSubmit();
    }
    return;
  }
  if (event.key === "Escape") {
    const menu = document.querySelector<HTMLDetailsElement>("details.menu[open], details.switcher[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
    return;
  }
  if (event.key === "?" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)) {
    event.preventDefault();
    openDialog("keys-help");
  }
});

document.addEventListener("adjudge:status", (event) => {
  const detail: unknown = (event as CustomEvent).detail;
  const text = typeof detail === "string" ? detail : (detail as { value?: unknown } | null)?.value;
  if (typeof text === "string") say(text);
});

// ------------------------------------------------- theme and text size

interface Prefs {
  theme?: string;
  size?: string;
}

/** Sizes of item text, smallest first; "" is the one that nobody chose. */
const sizes = ["s", "", "l", "xl"];

function prefsKey(): string {
  return "adjudge.prefs." + (root.dataset.person ?? "");
}

function setPref(name: keyof Prefs, value: string): void {
  if (value) root.dataset[name] = value;
  else delete root.dataset[name];
  try {
    const prefs: Prefs = { theme: root.dataset.theme, size: root.dataset.size };
    localStorage.setItem(prefsKey(), JSON.stringify(prefs));
  } catch {
    // No storage: it holds for this page.
  }
  showPrefs();
}

function showPrefs(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String((button.dataset.setTheme ?? "") === (root.dataset.theme ?? "")));
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-step-size]")) {
    const end = Number(button.dataset.stepSize) < 0 ? sizes[0] : sizes[sizes.length - 1];
    button.setAttribute("aria-disabled", String((root.dataset.size ?? "") === end));
  }
  for (const button of document.querySelectorAll<HTMLElement>("[data-set-size]")) {
    button.setAttribute("aria-pressed", String((button.dataset.setSize ?? "") === (root.dataset.size ?? "")));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-set-theme], [data-set-size], [data-step-size]") : null;
  if (!button) return;
  if (button.dataset.stepSize !== undefined) {
    const at = sizes.indexOf(root.dataset.size ?? "") + Number(button.dataset.stepSize);
    setPref("size", sizes[Math.max(0, Math.min(sizes.length - 1, at))] ?? "");
  }
  if (button.dataset.setTheme !== undefined) setPref("theme", button.dataset.setTheme);
  if (button.dataset.setSize !== undefined) setPref("size", button.dataset.setSize);
});
showPrefs();

// ------------------------------------------------------- times and phones

const moment = new Intl.DateTimeFormat(root.lang || undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(root.lang || undefined, { dateStyle: "full", timeStyle: "long" });

/** Writes every moment below a node in the reader's own time zone. */
function localTimes(within: ParentNode): void {
  for (const time of within.querySelectorAll<HTMLTimeElement>("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = exact.format(at);
    time.textContent = moment.format(at);
  }
}
localTimes(document);
document.addEventListener("htmx:after:swap", () => localTimes(document));

// The on-screen keyboard leaves less than two thirds of the screen: then the
// bottom bar makes room.
let tallest = window.innerHeight;
const viewport = window.visualViewport;
function watchKeyboard(): void {
  const height = viewport?.height ?? window.innerHeight;
  tallest = Math.max(tallest, height);
  if (height < tallest * 0.67 && isTyping(document.activeElement)) root.dataset.keyboard = "open";
  else delete root.dataset.keyboard;
}
viewport?.addEventListener("resize", watchKeyboard);
window.addEventListener("orientationchange", () => {
  tallest = 0;
});

// A form that was refused: the first field that is wrong has the focus, so that
// nobody has to look for it.
const wrong = document.querySelector<HTMLElement>("main [aria-invalid='true']");
wrong?.focus();
// What was saved is said beside its form, which may stand far down the page.
if (!wrong && !location.hash) document.querySelector("main .card > .banner[role], main .card .banner[role]")?.scrollIntoView({ block: "nearest" });

const said = document.getElementById("status");
if (said?.textContent) hush(said);
