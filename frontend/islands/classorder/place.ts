/** The row that a row changes places with: the nearest in a direction that names a class. */
export function target(names: string[], from: number, by: number): number {
  for (let to = from + by; to >= 0 && to < names.length; to += by) if (names[to] !== "") return to;
  return from;
}
