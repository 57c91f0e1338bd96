// Characters that nobody sees and that turn, join or disguise what stands around
// them are shown as marks, as the server shows them on every page (web/unseen.go);
// islands do it for what they draw themselves.

const joining = String.raw`(?![\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}])[\p{L}\p{M}\p{So}\p{Sk}\uFE0F]`;
const unseen = new RegExp(
  String.raw`[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}\u{E0100}-\u{E01EF}]` +
    String.raw`|(?<!${joining})[\u200C\u200D]|[\u200C\u200D](?!${joining})`,
  "gu",
);

const marks: Record<number, string> = {
  0xad: "SHY", 0x61c: "ALM", 0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM",
  0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2060: "WJ",
  0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM",
};

export interface Piece {
  text: string;
  unseen?: string; // what it is, such as U+202E
}

/** Splits a text into what is seen and marks for what is not. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const m of text.matchAll(unseen)) {
    if (m.index > from) out.push({ text: text.slice(from, m.index) });
    const code = m[0].codePointAt(0)!;
    const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    out.push({ text: marks[code] ?? name, unseen: name });
    from = m.index + m[0].length;
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

/** Puts a text into an element, with marks. */
export function show(element: HTMLElement, text: string): void {
  const parts = pieces(text);
  if (parts.length <= 1 && !parts[0]?.unseen) {
    element.textContent = text; // nearly always
    return;
  }
  element.replaceChildren(
    ...parts.map((p) => {
      if (!p.unseen) return document.createTextNode(p.text);
      const mark = document.createElement("span");
      mark.className = "unseen";
      mark.title = p.unseen;
      mark.textContent = p.text;
      return mark;
    }),
  );
}
