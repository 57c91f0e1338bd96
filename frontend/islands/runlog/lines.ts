// What the log viewer knows about lines.

/** A line of the log and the byte where it begins. */
export interface Line {
  text: string;
  offset: number;
}

/**
 * Cut turns a piece of the log, which begins with a line, into whole lines. What
 * follows the last of them is left for the next piece, unless the log ends here
 * or the piece is one line alone; next is where that piece begins.
 */
export function cut(bytes: Uint8Array, offset: number, end: boolean): { lines: Line[]; next: number } {
  const decoder = new TextDecoder();
  const lines: Line[] = [];
  let from = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
    lines.push({ text: decoder.decode(bytes.subarray(from, at)), offset: offset + from });
    from = at + 1;
  }
  if (from < bytes.length && end) {
    lines.push({ text: decoder.decode(bytes.subarray(from)), offset: offset + from });
    from = bytes.length;
  }
  return { lines, next: offset + from };
}

/** Speaks of an error: a word that programs use for it, not a count of none of them. */
export function isError(line: string): boolean {
  if (/\b(no|0|without) (errors?|failures?)\b/i.test(line)) return false;
  return /\b(error|exception|traceback|fatal|panic|failed|killed|out of memory|segmentation fault)\b/i.test(line) || /^[A-Z][A-Za-z]+Error\b/.test(line);
}

/** Machine lines carry progress for the server, such as "::progress 0.4". */
export function isMachine(line: string): boolean {
  return line.startsWith("::");
}

/** Anchor reads the number of a line from the address, 0 for none. */
export function anchor(hash: string): number {
  const m = /^#L(\d+)$/.exec(hash);
  return m ? Number(m[1]) : 0;
}

/** Pieces cuts a line at every place where the search stands in it. */
export function pieces(line: string, search: string): { text: string; hit: boolean }[] {
  if (search === "") return [{ text: line, hit: false }];
  const out: { text: string; hit: boolean }[] = [];
  // Lower case may change the length of a text; then nothing is marked rather than the wrong letters.
  const low = line.toLowerCase();
  const wanted = search.toLowerCase();
  if (low.length !== line.length) return [{ text: line, hit: low.includes(wanted) }];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    if (at > from) out.push({ text: line.slice(from, at), hit: false });
    out.push({ text: line.slice(at, at + wanted.length), hit: true });
    from = at + wanted.length;
  }
  if (from < line.length || out.length === 0) out.push({ text: line.slice(from), hit: false });
  return out;
}
