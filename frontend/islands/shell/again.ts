/** What is known of something that can have the focus. */
export interface Mark {
  tag: string;
  id: string;
  name: string; // of a form field, with its value
  words: string; // accessible name, as far as the markup says it
  href: string;
}

/**
 * Returns which of the candidates is the same thing as what lost the focus when
 * its part of the page was replaced: by id, by the name of a form field, by its
 * words, by where it leads, else the one in the same place. -1 means that there
 * is none at all.
 */
export function again(lost: Mark, place: number, candidates: readonly Mark[]): number {
  const same = [
    (c: Mark) => c.id !== "" && c.id === lost.id,
    (c: Mark) => c.tag === lost.tag && c.name !== "" && c.name === lost.name,
    (c: Mark) => c.tag === lost.tag && c.words !== "" && c.words === lost.words,
    (c: Mark) => c.tag === lost.tag && c.href !== "" && c.href === lost.href,
  ];
  for (const rule of same) {
    const at = candidates.findIndex(rule);
    if (at >= 0) return at;
  }
  return candidates.length === 0 ? -1 : Math.min(Math.max(place, 0), candidates.length - 1);
}
