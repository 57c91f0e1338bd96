// When to offer a break: after 50 minutes in which no pause was long enough to
// be one. Pure; the clock comes from outside.

export const WORK = 50 * 60_000;
export const PAUSE = 5 * 60_000;

export class Rest {
  private since = 0; // the first answer after the last pause
  private last = 0;
  private offered = 0;

  /** Notes an answer at a moment (milliseconds) and reports whether a break is due. */
  answered(now: number): boolean {
    if (this.last === 0 || now - this.last >= PAUSE) this.since = now;
    this.last = now;
    const due = now - Math.max(this.since, this.offered) >= WORK;
    if (due) this.offered = now; // "later" is another 50 minutes
    return due;
  }

  /** A break begins: the time counts anew from the next answer. */
  rested(): void {
    this.last = this.since = this.offered = 0;
  }
}
