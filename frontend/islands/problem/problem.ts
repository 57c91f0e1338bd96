// On the page of an error: counts the answers that wait on this device, so that
// "is anything lost?" is answered by what is there and not by a promise, and
// offers them as a file, with what stood in the form that failed.
import { DeviceShelf, hasDevice } from "../outbox/device";
import type { Entry } from "../outbox/queue";
import { count } from "../outbox/words";

export interface Words {
  none: string;
  one: string;
  many: string;
  unknown: string;
}

/** What to say about a number of entries; null stands for not knowing. */
export function sentence(words: Words, waiting: number | null): string {
  if (waiting === null) return words.unknown;
  if (waiting === 0) return words.none;
  return waiting === 1 ? words.one : words.many.replace("{n}", count(waiting));
}

/**
 * Whether anything is lost: stored says what the server made of the request
 * ("read", "refused" or "unsure"), typed how many fields of a form failed with
 * it, waiting how many answers wait on this device.
 */
export function lost(stored: string, typed: number, waiting: number | null): "none" | "sent" | "unknown" | "" {
  if (stored === "unsure" || waiting === null) return "unknown";
  if (typed > 0) return "sent";
  return waiting === 0 ? "none" : ""; // what waits is said beside it
}

function saveButton(label: string, content: unknown): HTMLElement {
  const link = document.createElement("a");
  link.className = "button small";
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  link.download = "adjudge-answers.json";
  link.textContent = label;
  return link;
}

/** What stood in the form, as the page shows it. */
function fields(): Record<string, string> {
  const typed: Record<string, string> = {};
  for (const term of document.querySelectorAll("[data-sent-fields] dt")) typed[term.textContent ?? ""] = term.nextElementSibling?.textContent ?? "";
  return typed;
}

async function entriesOf(person: string): Promise<Entry[] | null> {
  if (!person) return [];
  try {
    return (await hasDevice()) ? await (await DeviceShelf.open()).list(person) : [];
  } catch {
    return null; // some browsers keep nothing for some pages; then nobody knows
  }
}

async function show(line: HTMLElement, verdict: HTMLElement, person: string): Promise<void> {
  const { none = "", one = "", many = "", unknown = "", save = "" } = line.dataset;
  const entries = await entriesOf(person);
  const form = fields();
  const typed = Object.keys(form).length;
  if (person) {
    line.textContent = sentence({ none, one, many, unknown }, entries ? entries.length : null);
    line.hidden = false;
  }
  const is = lost(verdict.dataset["lost"] ?? "", typed, entries ? entries.length : null);
  if (is) {
    verdict.textContent = verdict.dataset[is] ?? "";
    verdict.hidden = false;
  }
  if (entries?.length || typed > 0 || is === "unknown") (is ? verdict : line).append(" ", saveButton(save, { address: location.href, form, answers: entries ?? [] }));
  if (entries?.length) document.querySelector<HTMLElement>("[data-send]")?.removeAttribute("hidden");
}

if (typeof document !== "undefined") {
  const line = document.querySelector<HTMLElement>("[data-waiting]");
  const verdict = document.querySelector<HTMLElement>("[data-lost]");
  if (line && verdict) void show(line, verdict, document.documentElement.dataset["person"] ?? "");
}
