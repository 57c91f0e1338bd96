// A sign-in that lapses while somebody works opens again in place: a dialog asks
// for the password of the same person, and what was being done goes on. Nothing
// on the page is lost. It opens
//
// - where htmx is refused, instead of leaving the page,
// - before a form is sent, if the server no longer knows who sits here, or knows
//   somebody else (who signed in in another tab),
// - where the socket of the page is closed because the login ended,
// - where answers wait for a sign-in and somebody follows the link that says so.
//
// Who signs in at a provider does so in a window of its own, which ends at
// /signed-in and says so here; without that the page looks again when it is
// looked at, and every few seconds while it waits.

import { at } from "../outbox/base";

const person = typeof document === "undefined" ? "" : (document.documentElement.dataset["person"] ?? "");

/** Who the server believes sits here. */
export type Seat = "same" | "nobody" | "other" | "unknown";

/** Reads the answer of the server about who sits here. */
export function seat(status: number, id: unknown, me: string): Seat {
  if (status === 401) return "nobody";
  if (status !== 200 || typeof id !== "string") return "unknown";
  return id === me ? "same" : "other";
}

async function look(): Promise<Seat> {
  try {
    const answer = await fetch(at("/api/v1/me"), { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(5000) });
    const body = (await answer.json()) as { id?: string };
    return seat(answer.status, body.id, person);
  } catch {
    return "unknown"; // no network: what is sent will say so itself
  }
}

let later: (() => void)[] = [];

/** On it a tab that signed in tells the others; what it says is not believed but looked up. */
const CHANNEL = "adjudge.signed-in";
/** How often a page looks while it waits for a sign-in elsewhere, in milliseconds. */
const EVERY = 3000;
let watching = 0;

/** Looks who sits here while the dialog is open, and goes on once it is the same person. */
async function glance(): Promise<void> {
  if (!dialogOf()?.open) return;
  const who = await look();
  if (!dialogOf()?.open) return; // gone on meanwhile
  if (who === "same") back();
  else if (who === "other") signInAgain(who);
}

/** Waits for a sign-in in another window. */
function wait(line: HTMLElement | null): void {
  if (line) line.hidden = false;
  if (watching) return;
  watching = window.setInterval(() => void glance(), EVERY);
}

function stopWaiting(): void {
  window.clearInterval(watching);
  watching = 0;
  for (const line of document.querySelectorAll<HTMLElement>("[data-sign-in-wait]")) line.hidden = true;
}

/** Goes to the provider: in a window of its own, or by the desktop window in the system's browser. */
function leave(event: SubmitEvent, form: HTMLFormElement): void {
  const line = form.parentElement?.querySelector<HTMLElement>("[data-sign-in-wait]") ?? null;
  wait(line);
  if (document.documentElement.dataset["window"] === undefined) return; // the form's own target
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
  void fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: fields })
    .then(async (answer) => {
      const body = (await answer.json()) as { digits?: string; detail?: string };
      if (line) line.textContent = body.digits ? (line.dataset["signInWait"] ?? "").replace("{digits}", body.digits) : (body.detail ?? "");
    })
    .catch(() => undefined); // the page goes on waiting; the button is there still
}

function dialogOf(): HTMLDialogElement | null {
  const dialog = document.getElementById("sign-in-again");
  return dialog instanceof HTMLDialogElement ? dialog : null;
}

/** Opens the dialog; again is what goes on once the same person is back. */
export function signInAgain(who: Seat, again?: () => void): void {
  const dialog = dialogOf();
  if (!dialog) return void location.assign(at("/sign-in"));
  if (again) later.push(again);
  // Whoever signed in meanwhile is known at the provider: it must ask who this is.
  for (const fresh of dialog.querySelectorAll<HTMLInputElement>("[data-sign-in-at] input[name=fresh]")) fresh.disabled = who !== "other";
  for (const line of dialog.querySelectorAll<HTMLElement>("[data-seat]")) line.hidden = line.dataset["seat"] !== (who === "other" ? "other" : "nobody");
  if (dialog.open) return;
  for (const open of document.querySelectorAll<HTMLDialogElement>("dialog[open]:not(.drawer)")) if (open !== dialog && open.id === "palette") open.close();
  dialog.showModal();
  (dialog.querySelector<HTMLElement>("input[type=password]") ?? dialog.querySelector<HTMLElement>("[data-sign-in-at] button"))?.focus();
}

function back(): void {
  const dialog = dialogOf();
  stopWaiting();
  dialog?.close();
  const field = dialog?.querySelector<HTMLInputElement>("input[type=password]");
  if (field) field.value = "";
  const again = later;
  later = [];
  document.dispatchEvent(new CustomEvent("adjudge:signedin"));
  for (const go of again) go();
}

async function send(form: HTMLFormElement): Promise<void> {
  const error = form.querySelector<HTMLElement>("[data-error]")!;
  error.textContent = "";
  try {
    const answer = await fetch(at("/sign-in"), { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form) as unknown as Record<string, string>) });
    const body = (await answer.json()) as { person?: string; detail?: string };
    if (answer.ok && body.person === person) return back();
    if (answer.ok) return void location.assign(at("/")); // somebody else: this page is not theirs
    error.textContent = body.detail ?? "";
  } catch {
    error.textContent = form.dataset["trouble"] ?? "";
  }
  form.querySelector<HTMLInputElement>("input[type=password]")?.select();
}

/** Forms that were looked at and may be sent. */
const passed = new WeakSet<HTMLFormElement>();
const looking = new WeakSet<HTMLFormElement>();

/** Forms that are about signing in and out themselves. */
const door = /\/(sign-in|sign-out|lock|unlock|language)$/;

function guard(event: SubmitEvent): void {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== "post" || door.test(new URL(form.action, location.href).pathname)) return;
  if (passed.delete(form)) return;
  event.preventDefault();
  if (looking.has(form)) return;
  looking.add(form);
  const submitter = event.submitter;
  const go = (): void => {
    passed.add(form);
    standing(form)?.requestSubmit(submitter && form.contains(submitter) ? submitter : null);
  };
  void look().then((who) => {
    looking.delete(form);
    if (who === "nobody" || who === "other") signInAgain(who, go);
    else go();
  });
}

/**
 * What stands now where something was pressed: live news may have replaced it
 * while the dialog was open. A form goes on as it was filled in, a link or a
 * button as its like in the new part.
 */
function standing<T extends HTMLElement>(pressed: T): T | undefined {
  if (pressed.isConnected) return pressed;
  if (pressed instanceof HTMLFormElement) {
    pressed.hidden = true;
    document.body.append(pressed);
    return pressed;
  }
  const asks = (e: Element): string => ["id", "href", "hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete", "hx-vals", "name", "value"].map((name) => e.getAttribute(name) ?? "").join("\n");
  if (asks(pressed).trim() === "") return undefined; // nothing tells it from others
  return [...document.querySelectorAll<T>(pressed.tagName)].find((e) => asks(e) === asks(pressed));
}

interface Refused {
  ctx?: { response?: { status?: number }; sourceElement?: Element; hx?: { redirect?: string } };
}

if (person) {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form instanceof HTMLFormElement && form.matches("[data-sign-in-at]")) leave(event, form);
    else if (form instanceof HTMLFormElement && form.matches("[data-sign-in-again]")) {
      event.preventDefault();
      if (form.querySelector("input[type=password]")) void send(form);
    } else guard(event);
  });
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = (event as CustomEvent<Refused>).detail;
    if (ctx?.response?.status !== 401 || ctx.hx?.redirect?.startsWith(at("/locked"))) return;
    event.preventDefault();
    const source = ctx.sourceElement;
    // What asks on its own asks again by itself.
    const pressed = source instanceof HTMLFormElement ? () => standing(source)?.requestSubmit() : source instanceof HTMLElement && source.matches("a, button") ? () => standing(source)?.click() : undefined;
    signInAgain("nobody", pressed);
  });
  document.addEventListener("adjudge:closed", () => {
    void look().then((who) => {
      if (who === "nobody" || who === "other") signInAgain(who);
    });
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-outbox='sign-in']") : null;
    if (!link || !dialogOf() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    signInAgain("nobody");
  });
  // Signed in again in another tab, by whatever way.
  window.addEventListener("focus", () => void glance());
  document.addEventListener("visibilitychange", () => void (document.hidden || glance()));
  if ("BroadcastChannel" in globalThis) new BroadcastChannel(CHANNEL).addEventListener("message", () => void glance());
} else if (typeof document !== "undefined" && document.querySelector("[data-signed-in]")) {
  new BroadcastChannel(CHANNEL).postMessage("signed in");
  window.close(); // where a script opened it; else the page says that it can be closed
}
