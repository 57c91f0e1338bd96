/** The row to go to from a row, -1 standing for none yet and for nowhere. */
export function move(at: number, rows: number, step: 1 | -1): number {
  if (rows === 0) return -1;
  if (at < 0) return step > 0 ? 0 : rows - 1;
  return Math.min(rows - 1, Math.max(0, at + step));
}
