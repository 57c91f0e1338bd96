/**
 * Returns the place of the item to go to, from the one at `at` (-1: none) by
 * one step, or -1 when that would leave the list.
 */
export function step(at: number, by: number, count: number): number {
  if (count === 0) return -1;
  if (at < 0) return by > 0 ? 0 : count - 1;
  const next = at + by;
  return next >= 0 && next < count ? next : -1;
}
