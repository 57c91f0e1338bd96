// On the page of an error: counts the answers that wait on this device, so that
// "is anything lost?" is answered by what is there and not by a promise, and
// offers them as a file.
import { DeviceShelf } from "../outbox/device";
import type { Entry } from "../outbox/queue";

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
  return waiting === 1 ? words.one : words.many.replace("{n}", String(waiting));
}

function saveButton(label: string, entries: Entry[]): HTMLElement {
  const link = document.createElement("a");
  link.className = "button small";
  link.href = URL.createObjectURL(new Blob([JSON.stringify(entries, null, 2)], { type: "application/json" }));
  link.download = "adjudge-answers.json";
  link.textContent = label;
  return link;
}

async function show(line: HTMLElement, person: string): Promise<void> {
  const { none = "", one = "", many = "", unknown = "", save = "" } = line.dataset;
  let entries: Entry[] | null = null;
  try {
    entries = await (await DeviceShelf.open()).list(person);
  } catch {
    // Some browsers keep nothing for some pages; then nobody knows.
  }
  line.textContent = sentence({ none, one, many, unknown }, entries ? entries.length : null);
  line.hidden = false;
  if (!entries?.length) return;
  line.append(" ", saveButton(save, entries));
  document.querySelector<HTMLElement>("[data-send]")?.removeAttribute("hidden");
}

if (typeof document !== "undefined") {
  const line = document.querySelector<HTMLElement>("[data-waiting]");
  const person = document.documentElement.dataset["person"];
  if (line && person) void show(line, person);
}
