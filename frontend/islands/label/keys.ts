// What a key press means. Pure, so that every layout can be tested in a table.

/** The part of a KeyboardEvent that decides. */
export interface Press {
  key: string;
  code: string;
  keyCode?: number;
  ctrlKey?: boolean;
  metaKey?: boolean;
  altKey?: boolean;
  shiftKey?: boolean;
  repeat?: boolean;
  isComposing?: boolean;
}

/** What to do. */
export type Action =
  | { does: "answer"; key: string }
  | { does: "submit" | "skip" | "space" | "undo" | "redo" | "cover" | "peek" | "help" | "find" | "next" | "previous" };

/** Whether a press belongs to an input method and must be left alone. */
export function composing(p: Press): boolean {
  return p.isComposing === true || p.keyCode === 229 || p.key === "Process" || p.key === "Dead";
}

/**
 * Tells what a press means. Digits go by code, where they stand: an AZERTY
 * keyboard gives "&" for the first, and shifted digits are no matter there.
 * Letters go by key, what is printed; on a layout without Latin letters, by the
 * place where Latin ones are.
 */
export function meaning(p: Press, off: boolean): Action | null {
  if (composing(p)) return null;
  const command = p.ctrlKey || p.metaKey;
  if (command && !p.altKey && latin(p) === "z") return { does: p.shiftKey ? "redo" : "undo" };
  // AltGr counts as Ctrl+Alt on Windows: no combination but undo and redo is ours.
  if (command || p.altKey || p.repeat) return null;
  switch (p.key) {
    case "Enter":
      return { does: "submit" };
    case " ":
    case "Spacebar":
      return { does: p.shiftKey ? "skip" : "space" };
    case "ArrowDown":
    case "ArrowRight":
      return { does: "next" };
    case "ArrowUp":
    case "ArrowLeft":
      return { does: "previous" };
    case "F1":
      return { does: "help" };
    case "?":
      return { does: "help" };
  }
  if (off) return null;
  if (p.key === ".") return { does: "peek" };
  if (!p.shiftKey && p.key.length === 1 && /^(?:Digit|Numpad)0$/.test(p.code)) return { does: "cover" };
  if (p.key === "/") return { does: "find" };
  if (p.shiftKey) return null;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(p.code);
  // A numpad without NumLock sends End, ArrowDown … under the same codes.
  if (digit && p.key.length === 1) return { does: "answer", key: digit[1]! };
  const letter = latin(p);
  return letter ? { does: "answer", key: letter } : null;
}

/** The Latin letter that a press stands for, or "". */
function latin(p: Press): string {
  const key = p.key.toLowerCase();
  if (/^[a-z]$/.test(key)) return key;
  const place = /^Key([A-Z])$/.exec(p.code);
  // A letter of another script stands for the Latin one at its place; a sign does not.
  return place && p.key.length === 1 && /\p{L}/u.test(p.key) && !/\p{Script=Latin}/u.test(p.key) ? place[1]!.toLowerCase() : "";
}

/** Remembers what this person's keyboard prints, from what they press. */
export class Layout {
  private printed: Record<string, string> = {};

  constructor(private readonly store: Pick<Storage, "getItem" | "setItem"> | null = null, private readonly name = "label.layout") {
    try {
      this.printed = JSON.parse(this.store?.getItem(this.name) ?? "{}") as Record<string, string>;
    } catch {
      // A broken note is no note.
    }
  }

  /** Takes note of a press; true if something new was learned. */
  learn(p: Press): boolean {
    const place = /^Key([A-Z])$/.exec(p.code);
    if (!place || composing(p) || p.ctrlKey || p.metaKey || p.altKey || p.key.length !== 1 || !/\p{L}/u.test(p.key)) return false;
    return this.set(place[1]!.toLowerCase(), p.key.toLowerCase());
  }

  /** Takes the browser's own map where it has one: KeyboardLayoutMap. */
  adopt(map: Iterable<[string, string]>): boolean {
    let news = false;
    for (const [code, key] of map) {
      const place = /^Key([A-Z])$/.exec(code);
      if (place && key.length === 1 && /\p{L}/u.test(key)) news = this.set(place[1]!.toLowerCase(), key.toLowerCase()) || news;
    }
    return news;
  }

  private set(place: string, key: string): boolean {
    if (this.printed[place] === key) return false;
    this.printed[place] = key;
    try {
      this.store?.setItem(this.name, JSON.stringify(this.printed));
    } catch {
      // Storage is full or off: learn again next time.
    }
    return true;
  }

  /** What to print for a class key: the letter itself where the keyboard has it. */
  cap(key: string): string {
    if (!/^[a-z]$/.test(key)) return key;
    const there = this.printed[key];
    if (!there || /\p{Script=Latin}/u.test(there)) return key.toUpperCase();
    return there.toUpperCase();
  }
}
