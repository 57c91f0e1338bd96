// The pure parts of the live island.

/**
 * Whether an element that lists kinds wants an event. A kind may end in ".*"
 * ("run.*") and may name its subject after "@" ("log@attempt/7").
 */
export function wanted(list: string, kind: string, subject: string): boolean {
  return list.split(/\s+/).some((word) => {
    const [want, about] = word.split("@", 2) as [string, string?];
    if (about !== undefined && about !== subject) return false;
    return want === kind || want === "*" || (want.endsWith(".*") && kind.startsWith(want.slice(0, -1)));
  });
}

/** Pauses between attempts to connect: 0.5, 1, 2 … 15 seconds, give or take. */
export class Backoff {
  failures = 0;

  constructor(private readonly random: () => number = Math.random) {}

  next(): number {
    return Math.min(15_000, 500 * 2 ** Math.min(this.failures++, 8)) * (0.75 + this.random() / 2);
  }

  reset(): void {
    this.failures = 0;
  }
}
