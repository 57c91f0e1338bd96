// Locking: the screen is covered in the same frame, the server is told behind
// it, and the page for unlocking takes the place of this one. A screen that
// stood idle locks itself. Answers and drafts stay on the device under their
// person's id. The cover is for the eyes; the server refuses a locked login by
// itself.

import { at, here } from "../outbox/base";

const root = document.documentElement;
const DUE = "adjudge.lock-due"; // the server has not been told yet
const RETRY = 2000;

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // No storage: other tabs notice when they next ask the server.
  }
}

function cover(): void {
  root.dataset["locked"] = "";
  document.body.inert = true;
}

function uncover(): void {
  delete root.dataset["locked"];
  document.body.inert = false;
}

/** Covers the screen and locks this person's login. */
export function lock(): void {
  if (!root.dataset["person"] || root.dataset["locked"] !== undefined) return;
  cover();
  write(DUE, root.dataset["person"]);
  void tell();
}

async function tell(): Promise<void> {
  try {
    const answer = await fetch(at("/lock"), { method: "POST", headers: { Accept: "application/json" } });
    if (answer.status === 204 || answer.status === 401) {
      write(DUE, null);
      location.replace(at(`/locked?next=${encodeURIComponent(here())}`));
      return;
    }
    if (answer.status === 422) {
      // Nobody could unlock it again: the server says why.
      const problem = (await answer.json()) as { detail?: string };
      write(DUE, null);
      uncover();
      document.dispatchEvent(new CustomEvent("adjudge:status", { detail: problem.detail ?? "" }));
      return;
    }
  } catch {
    // No network: the cover stays until the server knows.
  }
  setTimeout(() => void tell(), RETRY);
}

// The menu's button is a form that works without this script.
document.getElementById("lock-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  lock();
});

// A locked page takes no keys, whoever listens.
for (const kind of ["keydown", "keyup", "keypress", "beforeinput"]) {
  window.addEventListener(
    kind,
    (event) => {
      if (root.dataset["locked"] === undefined) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}

if (root.dataset["person"]) {
  // Left or loaded anew while the server could not be told.
  if (read(DUE) === root.dataset["person"]) {
    cover();
    void tell();
  } else if (read(DUE) !== null) write(DUE, null);
  window.addEventListener("storage", (event) => {
    if (event.key === DUE && event.newValue === root.dataset["person"]) lock();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // what the browser kept may be somebody else's
  });
  watch(Number(root.dataset["idle"] ?? 0));
}

/** Locks after so many milliseconds in which no tab of this person was touched. */
function watch(limit: number): void {
  if (!(limit > 0)) return;
  const key = `adjudge.touched.${root.dataset["person"] ?? ""}`;
  const step = Math.min(5000, limit / 10);
  let touched = Date.now();
  let written = 0;
  const touch = (): void => {
    touched = Date.now();
    if (touched - written < step) return;
    written = touched;
    write(key, String(touched));
  };
  touch();
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll"]) {
    window.addEventListener(kind, touch, { capture: true, passive: true });
  }
  const look = (): void => {
    if (Date.now() - Math.max(touched, Number(read(key) ?? 0)) >= limit) lock();
  };
  setInterval(look, step);
  // A lid that opens again: timers stood still, the clock did not.
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
}
