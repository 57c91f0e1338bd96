// One socket per page: who is here, and what changed. A page marks the parts
// that show live things with the kinds of events that change them,
//
//   <section id="runs" data-live="run.created run.finished">
//
// and this fetches the page again and swaps in the element of the same id. A
// form that somebody is filling in is left alone until they are done. Islands
// hear of everything as "adjudge:live" on document.

import { base, here } from "../outbox/base";
import { Backoff, wanted } from "./parts";

interface Presence {
  person: string;
  name: string;
  places: string[];
}

interface LiveEvent {
  kind: string;
  subject: string;
  count: number;
}

type Message = { type: "presence"; present: Presence[] } | { type: "events"; events: LiveEvent[] };

const SHOWN = 5;
// The frame names a project only on its own pages: /projects/new is none.
const slug = document.documentElement.dataset.project ? /^\/projects\/([^/]+)/.exec(here())?.[1] : undefined;
const me = document.documentElement.dataset["person"] ?? "";
const backoff = new Backoff();
let socket: WebSocket | undefined;
let timer: number | undefined;

function connect(): void {
  clearTimeout(timer);
  timer = undefined;
  if (!slug || socket) return;
  const place = encodeURIComponent(document.documentElement.dataset["page"] ?? "");
  const s = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base()}/projects/${slug}/live?page=${place}`);
  socket = s;
  let opened = false;
  s.onopen = () => {
    opened = true;
    document.documentElement.dataset["live"] = "";
    // What happened while nobody listened, be it only since the page was drawn:
    // everything may have changed.
    refresh([...document.querySelectorAll<HTMLElement>("[data-live]")]);
    backoff.reset();
  };
  s.onmessage = (e: MessageEvent<string>) => {
    const message = JSON.parse(e.data) as Message;
    if (message.type === "presence") present(message.present ?? []);
    else changed(message.events);
  };
  s.onclose = (e) => {
    if (socket === s) socket = undefined;
    delete document.documentElement.dataset["live"];
    if (e.code === 1008) {
      // Signed out, or no member any more: the shell finds out which.
      document.dispatchEvent(new CustomEvent("adjudge:closed"));
      return;
    }
    // A refused handshake says nothing else: wait longer.
    timer = window.setTimeout(connect, opened && e.code === 1013 ? 1000 : backoff.next());
  };
}

/** Draws who else is here. */
function present(people: Presence[]): void {
  const slot = document.getElementById("presence");
  if (!slot) return;
  const others = people.filter((p) => p.person !== me);
  const shown = others.slice(0, SHOWN).map((p) => {
    const face = document.createElement("span");
    face.className = `avatar palette-${step(p.person)}`;
    face.title = p.name;
    face.setAttribute("role", "img");
    face.setAttribute("aria-label", p.name);
    face.textContent = initials(p.name);
    return face;
  });
  if (others.length > SHOWN) {
    const more = document.createElement("span");
    more.className = "count";
    more.title = others.slice(SHOWN).map((p) => p.name).join(", ");
    more.textContent = `+${others.length - SHOWN}`;
    shown.push(more);
  }
  slot.replaceChildren(...shown);
  document.dispatchEvent(new CustomEvent("adjudge:presence", { detail: people }));
}

/** The same colour as ui.Avatar gives: FNV-1a of the id. */
function step(id: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % 10;
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0] ?? "", words.length > 1 ? words[words.length - 1]! : ""].map((w) => /[\p{L}\p{N}]/u.exec(w)?.[0] ?? "");
  return letters.join("").toLocaleUpperCase() || "?";
}

function changed(events: LiveEvent[]): void {
  document.dispatchEvent(new CustomEvent("adjudge:live", { detail: events }));
  refresh([...document.querySelectorAll<HTMLElement>("[data-live]")].filter((part) => events.some((e) => wanted(part.dataset["live"] ?? "", e.kind, e.subject))));
}

let fetching = false;
const waiting = new Set<string>();

/** Fetches the page again, once for all parts, and swaps them in. */
function refresh(parts: HTMLElement[]): void {
  for (const part of parts) if (part.id) waiting.add(part.id);
  if (!fetching) void fetchParts();
}

async function fetchParts(): Promise<void> {
  fetching = true;
  try {
    while (waiting.size > 0) {
      const ids = [...waiting];
      waiting.clear();
      const response = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (!response.ok || response.redirected) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const id of ids) swap(id, fresh);
      // Whoever is busy changes something many times a second; looking five
      // times a second is enough.
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  } catch {
    // The network is away; the next event or connection tries again.
  } finally {
    fetching = false;
  }
}

/** Whether a form in a part holds something that the page did not put there. */
function edited(part: HTMLElement): boolean {
  return [...part.querySelectorAll<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>("form input, form textarea, form select")].some((field) => {
    if (field instanceof HTMLSelectElement) {
      const offered = [...field.options];
      return offered.some((o) => o.defaultSelected) ? offered.some((o) => o.selected !== o.defaultSelected) : field.selectedIndex > 0;
    }
    if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) return field.checked !== field.defaultChecked;
    return field.type !== "hidden" && field.value !== field.defaultValue;
  });
}

function swap(id: string, fresh: Document): void {
  const old = document.getElementById(id);
  const next = fresh.getElementById(id);
  if (!old || !next || old.isEqualNode(next)) return;
  if (edited(old)) return; // what somebody has filled in is worth more than news
  if (old.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select")) {
    old.addEventListener("focusout", () => setTimeout(() => refresh([old]), 0), { once: true });
    return;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement?.id : "";
  const adopted = document.adoptNode(next);
  old.replaceWith(adopted);
  window.htmx?.process?.(adopted);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

connect();
window.addEventListener("online", connect);
document.addEventListener("adjudge:signedin", connect);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) connect();
});
window.addEventListener("pagehide", () => socket?.close());
window.addEventListener("pageshow", (e) => {
  if (e.persisted) connect();
});
