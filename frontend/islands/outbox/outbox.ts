// The page's outbox. Every page of a person who is signed in has one: it sends
// what waits on this device, and says in words how saving stands.

import { at, here } from "./base";
import { DeviceShelf, hasDevice, LateShelf, MemoryShelf, openDevice } from "./device";
import { newId } from "./ids";
import { Outbox, type State } from "./queue";
import { drawRefused } from "./refused";
import { saving } from "./saving";
import { send } from "./send";
import { fill } from "./words";

/** What the labeling page needs of it. */
export interface PageOutbox {
  outbox: Outbox;
  page: string; // id of this page, made anew each time one is opened
  former: string; // the page that stood in this tab before, "" for none
  db: IDBDatabase | null; // null: this browser keeps nothing
}

const LOOK = 7_000;
const root = document.documentElement;
const person = root.dataset["person"] ?? "";
const top = document.getElementById("saving");
const texts = JSON.parse(top?.dataset["texts"] ?? "{}") as Record<string, string>;
const time = new Intl.DateTimeFormat(root.lang || [], { hour: "2-digit", minute: "2-digit" });
let shown = "";
let noted = 0;
let waited = 0;

/** The outbox of this page, once what was left behind is taken over. */
export const pageOutbox: Promise<PageOutbox> = begin();

async function begin(): Promise<PageOutbox> {
  const page = newId();
  const former = follow(page);
  const shelf = new LateShelf(new MemoryShelf());
  let db: IDBDatabase | null = null;
  let kept = true;
  // Only the labeling page makes the store; others look whether there is one.
  const open = async (): Promise<void> => {
    if (db || !kept) return;
    try {
      if (!document.querySelector("label-loop") && !(await hasDevice())) return;
      db = await openDevice();
      shelf.inner = new DeviceShelf(db);
    } catch {
      kept = false; // said in words as soon as something waits
    }
  };
  await open();
  noted = Number(storage()?.getItem(`adjudge.saved.${person}`)) || 0;
  const outbox = new Outbox(shelf, person, page, former, send, (s) => draw(s, kept), noted);
  watch(outbox, open);
  await outbox.adopt();
  return { outbox, page, former, db };
}

function watch(outbox: Outbox, open: () => Promise<void>): void {
  const look = (): Promise<void> => open().then(() => outbox.adopt());
  const again = (): void => {
    void look();
    outbox.nudge();
  };
  setInterval(() => void look(), LOOK);
  window.addEventListener("online", again);
  document.addEventListener("adjudge:signedin", again);
  window.addEventListener("focus", again);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) again();
  });
  window.addEventListener("pagehide", () => void outbox.release());
  window.addEventListener("pageshow", (e) => {
    if (e.persisted) again();
  });
  const dialog = document.getElementById("outbox-refused");
  if (dialog instanceof HTMLDialogElement) dialog.addEventListener("adjudge:open", () => drawRefused(dialog, outbox, texts));
}

/** Writes the state wherever the page has a place for it; called with every answer, so it does little. */
function draw(s: State, kept: boolean): void {
  if (s.saved > noted) {
    noted = s.saved;
    setTimeout(() => storage()?.setItem(`adjudge.saved.${person}`, String(noted)), 0);
  }
  // For what shows something that the server knows only now.
  if (waited > 0 && s.waiting === 0) document.dispatchEvent(new CustomEvent("adjudge:saved"));
  waited = s.waiting;
  const now = saving(s, kept, texts, (at) => time.format(at));
  const login = s.trouble === "login" && s.waiting > 0;
  const refused = s.parked.length === 0 ? "" : fill(texts["parked"] ?? "", { n: s.parked.length });
  const key = `${now.mood} ${login} ${refused} ${now.words}`;
  if (key === shown) return;
  shown = key;
  // Trouble is worth an interruption; that all is well is not.
  top?.setAttribute("aria-live", now.mood === "trouble" ? "polite" : "off");
  for (const line of document.querySelectorAll<HTMLElement>('[data-outbox="words"]')) {
    line.textContent = now.words;
    line.dataset["state"] = now.mood;
  }
  for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-outbox="sign-in"]')) {
    link.hidden = !login;
    if (login) link.href = at(`/sign-in?next=${encodeURIComponent(here())}`);
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-outbox="refused"]')) {
    button.hidden = refused === "";
    button.textContent = refused;
  }
}

/** Notes that this page stands in the tab now, and returns which did before. */
function follow(page: string): string {
  try {
    const former = sessionStorage.getItem("adjudge.page") ?? "";
    sessionStorage.setItem("adjudge.page", page);
    return former;
  } catch {
    return "";
  }
}

function storage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
