// What a chart of a run computes before it draws.

import { speech } from "../outbox/words";

/** The decimal mark of the page's language. */
const mark = speech.count(0.5).slice(1, 2);

export interface Point {
  step: number;
  split: string;
  name: string;
  value: number;
}

export interface Series {
  split: string;
  points: Point[];
}

/** Charts groups points by metric, each with its series by split in the order in which they came. */
export function charts(points: Point[]): Map<string, Series[]> {
  const all = new Map<string, Series[]>();
  for (const p of points) {
    const series = all.get(p.name) ?? [];
    all.set(p.name, series);
    let one = series.find((s) => s.split === p.split);
    if (!one) series.push((one = { split: p.split, points: [] }));
    one.points.push(p);
  }
  // What was held out is what people look for first; then by name.
  const rank = (s: string): number => (/^(val|dev|test)/.test(s) ? 0 : s === "train" ? 1 : 2);
  for (const series of all.values()) {
    for (const s of series) s.points.sort((a, b) => a.step - b.step);
    series.sort((a, b) => rank(a.split) - rank(b.split) || (a.split < b.split ? -1 : 1));
  }
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Ticks returns two to five round values that span low to high. */
export function ticks(low: number, high: number): number[] {
  if (!(high > low)) {
    const pad = Math.abs(low) * 0.1 || 1;
    [low, high] = [low - pad, high + pad];
  }
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? 10 * power;
  const out: number[] = [];
  for (let i = Math.floor(low / step); ; i++) {
    out.push(Number((i * step).toPrecision(12)));
    if (i * step >= high) return out;
  }
}

/** Text writes a value with four significant digits at most. */
export function text(v: number): string {
  const a = Math.abs(v);
  if (a !== 0 && (a < 1e-3 || a >= 1e6)) return v.toExponential(2).replace(".", mark);
  return a >= 1000 ? speech.count(Number(v.toFixed(1))) : speech.count(Number(v.toFixed(4)));
}

/** Fill puts values into the [places] of a sentence. */
export function fill(words: string, values: Record<string, string | number>): string {
  return words.replace(/\[(\w+)\]/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** Thin keeps at most so many points, the first and the last among them. */
export function thin<T>(points: T[], most: number): T[] {
  if (points.length <= most) return points;
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => points[Math.round(i * step)]!);
}
