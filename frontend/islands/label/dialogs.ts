// The dialogs of the labeling page: find a class, skip with a reason, one's own
// keys. The server draws them, this fills them.

import { show } from "../shell/unseen";
import type { Class } from "./card";
import { composing, type Layout } from "./keys";
import type { Config } from "./label";

type Text = (key: string, args?: Record<string, string | number>) => string;

function open(dialog: HTMLDialogElement, closed: () => void): void {
  if (dialog.open) return;
  dialog.returnValue = "";
  dialog.addEventListener("close", closed, { once: true });
  dialog.showModal();
}

/** Classes whose name holds what was typed: at its beginning first. */
export function matches(classes: Class[], typed: string): Class[] {
  const wish = fold(typed);
  if (!wish) return classes;
  const rank = (c: Class): number => {
    const name = fold(c.name);
    if (name.startsWith(wish)) return 0;
    if (name.split(/[\s_\-/.]+/).some((word) => word.startsWith(wish))) return 1;
    return name.includes(wish) ? 2 : 3;
  };
  return classes
    .map((c, i) => ({ c, i, r: rank(c) }))
    .filter((x) => x.r < 3)
    .sort((a, b) => a.r - b.r || a.i - b.i)
    .map((x) => x.c);
}

function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase().trim();
}

/** Opens the type-ahead over all classes. */
export function find(
  root: HTMLElement, classes: Class[], begun: string, typed: (text: string) => void, chosen: (id: string) => void, closed: () => void,
): void {
  const dialog = root.querySelector<HTMLDialogElement>('[data-part="find"]')!;
  if (dialog.open) return;
  const input = dialog.querySelector("input")!;
  const list = dialog.querySelector("ul")!;
  const stop = new AbortController();
  const on = { signal: stop.signal };
  let found: Class[] = [];
  let at = 0;
  let picked = "";
  const draw = (): void => {
    found = matches(classes, input.value).slice(0, 50);
    at = Math.min(at, Math.max(0, found.length - 1));
    list.replaceChildren(
      ...found.map((c, i) => {
        const li = document.createElement("li");
        li.id = `label-match-${i}`;
        li.setAttribute("role", "option");
        li.setAttribute("aria-selected", String(i === at));
        li.dataset["class"] = c.id;
        const swatch = document.createElement("span");
        swatch.className = `swatch palette-${c.color}`;
        const name = document.createElement("bdi");
        show(name, c.name);
        li.append(swatch, name);
        return li;
      }),
    );
    if (found.length > 0) input.setAttribute("aria-activedescendant", `label-match-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => {
    at = 0;
    draw();
    typed(input.value);
  }, on);
  input.addEventListener("keydown", (e) => {
    e.stopPropagation();
    if (composing(e)) return; // an input method's Enter chooses its word, not our class
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      at = (at + (e.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length);
      draw();
    } else if (e.key === "Enter") {
      e.preventDefault();
      const choice = found[at];
      if (e.repeat || !choice) return;
      picked = choice.id;
      dialog.close();
    }
  }, on);
  list.addEventListener("click", (e) => {
    const option = (e.target as HTMLElement).closest<HTMLElement>("[data-class]");
    if (!option) return;
    picked = option.dataset["class"]!;
    dialog.close();
  }, on);
  input.value = begun;
  draw();
  open(dialog, () => {
    stop.abort();
    if (picked) chosen(picked);
    else closed();
  });
  input.focus();
  input.select(); // what was begun stays, or goes with the next key
}

/** Asks why an item is skipped; no reason is a good answer too. */
export function skipDialog(
  root: HTMLElement, reasons: string[], begun: string, typed: (text: string) => void, skip: (reason: string) => void, closed: () => void,
): void {
  const dialog = root.querySelector<HTMLDialogElement>("#label-skip")!;
  const input = dialog.querySelector<HTMLInputElement>("#label-reason")!;
  const chips = dialog.querySelector<HTMLElement>('[data-part="reasons"]')!;
  let sent = false;
  const stop = new AbortController();
  chips.replaceChildren(
    ...reasons.map((words) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "chip";
      chip.textContent = words;
      chip.addEventListener("click", () => ((sent = true), (input.value = words), dialog.close()));
      return chip;
    }),
  );
  input.value = begun;
  input.addEventListener("input", () => typed(input.value), { signal: stop.signal });
  input.addEventListener("keydown", (e) => {
    e.stopPropagation();
    if (e.key === "Enter" && composing(e)) e.preventDefault();
  }, { signal: stop.signal });
  dialog.querySelector("form.form")!.addEventListener("submit", () => (sent = true), { signal: stop.signal });
  dialog.querySelector("[data-close]")!.addEventListener("click", () => dialog.close(), { signal: stop.signal });
  open(dialog, () => {
    stop.abort();
    closed();
    if (sent) skip(input.value.trim());
  });
  input.focus();
}

/** Lets a person choose their own keys, or none. */
export function keysDialog(
  root: HTMLElement, config: Config, layout: Layout, text: Text,
  save: (off: boolean, chosen: Record<string, string>) => Promise<void>, closed: () => void,
): void {
  const dialog = root.querySelector<HTMLDialogElement>("#label-keys")!;
  const form = dialog.querySelector<HTMLFormElement>("form.form")!;
  const error = dialog.querySelector<HTMLElement>('[data-part="keys-error"]')!;
  const off = form.querySelector<HTMLInputElement>('[name="off"]')!;
  const stop = new AbortController();
  const on = { signal: stop.signal };
  const fields = config.classes.map((c) => {
    const label = document.createElement("label");
    const name = document.createElement("bdi");
    show(name, c.name);
    const input = document.createElement("input");
    input.className = "input";
    input.maxLength = 1;
    input.autocomplete = "off";
    input.spellcheck = false;
    input.value = config.chosen[c.id] ?? "";
    input.placeholder = c.key ? layout.cap(c.key) : "–";
    label.append(name, input);
    return { c, label, input };
  });
  dialog.querySelector('[data-part="keylist"]')!.replaceChildren(...fields.map((f) => f.label));
  off.checked = config.off;
  error.textContent = "";
  dialog.querySelector("[data-close]")!.addEventListener("click", () => dialog.close(), on);
  dialog.querySelector("[data-defaults]")!.addEventListener("click", () => fields.forEach((f) => (f.input.value = "")), on);
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    const chosen: Record<string, string> = {};
    const taken = new Set<string>();
    for (const { c, input } of fields) {
      const key = input.value.trim().toLowerCase();
      if (!key) continue;
      if (!/^[1-9a-z]$/.test(key)) return void ((error.textContent = text("keys.wrong", { key })), input.focus());
      if (taken.has(key)) return void ((error.textContent = text("keys.twice", { key })), input.focus());
      taken.add(key);
      chosen[c.id] = key;
    }
    save(off.checked, chosen).then(() => dialog.close(), (failure: unknown) => {
      error.textContent = failure instanceof Error ? failure.message : String(failure);
    });
  }, on);
  open(dialog, () => {
    stop.abort();
    closed();
  });
}
