// Keys that a person moved. The page's scripts know the product's own keys; here,
// before any of them hears it, a press of a person's key becomes a press of the
// product's, and the product's own means nothing any more, so that the browser
// or the system may have it.

import { isTyping } from "./typing";

/** The part of a KeyboardEvent that decides. */
export interface Press {
  key: string;
  code: string;
  ctrlKey?: boolean;
  metaKey?: boolean;
  altKey?: boolean;
  shiftKey?: boolean;
}

/**
 * Names a press as the table of keys does: "Ctrl+Shift+Z", "Alt+L", "?", "Space",
 * "F2"; "" for a modifier alone. Letters go by what is printed, and by their
 * place with Alt, which prints signs on some systems; digits go by their place.
 */
export function combo(p: Press): string {
  const letter = /^Key([A-Z])$/.exec(p.code)?.[1];
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(p.code)?.[1];
  let key = p.key;
  if (["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process", "Unidentified"].includes(key)) return "";
  let sign = false;
  if (key === " " || key === "Spacebar") key = "Space";
  else if (p.altKey && letter) key = letter;
  else if (/^[a-z]$/i.test(key)) key = key.toUpperCase();
  else if (key.length === 1 && letter && /\p{L}/u.test(key) && !/\p{Script=Latin}/u.test(key)) key = letter;
  else if (digit && key.length === 1 && (!p.shiftKey || p.ctrlKey || p.metaKey || p.altKey)) key = digit;
  else sign = key.length === 1; // Shift is part of how it is written
  return (p.ctrlKey || p.metaKey ? "Ctrl+" : "") + (p.altKey ? "Alt+" : "") + (p.shiftKey && !sign ? "Shift+" : "") + key;
}

/** How a press of a combination looks to scripts. */
export function press(named: string): Press & { key: string } {
  const parts = named.split("+");
  const last = parts[parts.length - 1]!;
  const shift = parts.includes("Shift");
  let key = last;
  let code = "";
  if (last === "Space") [key, code] = [" ", "Space"];
  else if (/^[A-Z]$/.test(last)) [key, code] = [shift ? last : last.toLowerCase(), `Key${last}`];
  else if (/^[0-9]$/.test(last)) code = `Digit${last}`;
  return { key, code, ctrlKey: parts.includes("Ctrl"), altKey: parts.includes("Alt"), shiftKey: shift };
}

/** What a press means where keys were moved: another press, nothing ("") or itself (null). */
export function moved(named: string, keys: Record<string, string>): string | null {
  if (!named) return null;
  if (Object.hasOwn(keys, named)) return keys[named]!;
  return Object.values(keys).includes(named) ? "" : null;
}

function read(): Record<string, string> {
  try {
    return JSON.parse(document.documentElement.dataset["keys"] ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}

const ours = new WeakSet<Event>();

function listen(): void {
  const keys = read();
  if (Object.keys(keys).length > 0) {
    window.addEventListener("keydown", (event) => {
      const target = event.target;
      if (ours.has(event) || event.isComposing || !(target instanceof EventTarget)) return;
      if (target instanceof Element && target.closest("[data-combo]")) return;
      const named = combo(event);
      const means = moved(named, keys);
      if (means === null) return;
      // What writes goes on writing; keys with Ctrl or Alt and F2 do not.
      if (isTyping(target) && !/^(Ctrl|Alt)\+|^F\d/.test(named)) return;
      event.stopImmediatePropagation();
      if (means === "") return;
      const copy = new KeyboardEvent("keydown", { ...press(means), bubbles: true, cancelable: true, composed: true, repeat: event.repeat });
      ours.add(copy);
      target.dispatchEvent(copy);
      event.preventDefault();
    }, { capture: true });
  }
  // Fields that hold a key take it by being pressed; Tab, Enter and Escape stay
  // what they are, so that nobody is caught in there.
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || field.dataset["combo"] === undefined || event.isComposing) return;
    if (["Tab", "Enter", "Escape"].includes(event.key)) return;
    const named = combo(event);
    if (!named) return;
    event.preventDefault();
    event.stopPropagation();
    if (["Backspace", "Delete"].includes(event.key)) field.value = "";
    else if (!/^(Ctrl\+|Alt\+|Shift\+)*(Arrow|Home|End|Page)/.test(named)) field.value = named;
  }, { capture: true });
}

if (typeof document !== "undefined") listen();
