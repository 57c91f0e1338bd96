// What a page counts while it is in front of somebody. Time is handed in, so that
// it can be tested without waiting.

/** How long somebody may be still before nobody is thought to be there. */
export const STILL = 60_000;
/** How long an item must be in view to have been looked at. */
export const GLANCE = 1_000;
/** How often a page tells. */
export const EVERY = 15_000;

export class Watch {
  private at: number;
  private moved: number;
  private millis = 0;
  private readonly inView = new Map<number, number>();
  private readonly told = new Set<number>();
  private fresh = new Set<number>();

  constructor(now: number) {
    this.at = this.moved = now;
  }

  /** Somebody did something. */
  touch(now: number): void {
    this.moved = now;
  }

  /** Whether somebody is there. */
  there(now: number): boolean {
    return now - this.moved < STILL;
  }

  /** The time since the last call passed with the page in front or not, and with these items in view. */
  tick(now: number, looking: boolean, items: readonly number[]): void {
    // A machine that slept, or a page that was frozen, looked at nothing.
    const passed = Math.min(Math.max(0, now - this.at), 2 * GLANCE);
    this.at = now;
    if (!looking) {
      this.inView.clear();
      return;
    }
    this.millis += passed;
    for (const item of [...this.inView.keys()]) if (!items.includes(item)) this.inView.delete(item);
    for (const item of items) {
      const since = (this.inView.get(item) ?? -passed) + passed;
      this.inView.set(item, since);
      if (since >= GLANCE && !this.told.has(item)) {
        this.told.add(item);
        this.fresh.add(item);
      }
    }
  }

  /** What was not told yet. */
  take(): { millis: number; items: number[] } {
    const taken = { millis: this.millis, items: [...this.fresh].sort((a, b) => a - b) };
    this.millis = 0;
    this.fresh = new Set();
    return taken;
  }

  /** It could not be told, and is told with the next. */
  back(taken: { millis: number; items: number[] }): void {
    this.millis += taken.millis;
    for (const item of taken.items) this.fresh.add(item);
  }
}
