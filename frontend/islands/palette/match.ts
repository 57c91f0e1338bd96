/** One thing the palette offers: a place to go or something to do. */
export interface Entry {
  title: string;
  where?: string;
  href: string;
  words?: string;
}

/**
 * Returns the entries that match what was typed, best first: every word typed
 * has to begin a word of the entry, or to stand inside it for a lower rank.
 * Nothing typed gives all entries in the order of the server.
 */
export function match(entries: Entry[], typed: string): Entry[] {
  const words = fold(typed).split(/\s+/u).filter(Boolean);
  if (words.length === 0) return entries;
  const found: { entry: Entry; score: number; index: number }[] = [];
  entries.forEach((entry, index) => {
    const title = fold(entry.title);
    const rest = fold(`${entry.where ?? ""} ${entry.words ?? ""}`);
    let score = 0;
    for (const word of words) {
      const s = rank(title, word) * 2 || rank(rest, word);
      if (s === 0) return;
      score += s;
    }
    found.push({ entry, score, index });
  });
  found.sort((a, b) => b.score - a.score || a.index - b.index);
  return found.map((f) => f.entry);
}

function rank(text: string, word: string): number {
  if (text.startsWith(word)) return 3;
  if (text.includes(` ${word}`)) return 2;
  return text.includes(word) ? 1 : 0;
}

/** Folds case and accents, so that "equipe" finds "Équipe". */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}
