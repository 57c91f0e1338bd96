// The trail of answers: undo walks back over it, redo forward again.

import type { Past } from "./shelf";

export class Trail {
  private pasts: Past[] = [];
  private undone: Past[] = [];

  /** Puts what an earlier visit left in front of what this one did. */
  begin(earlier: Past[]): void {
    this.pasts = [...earlier, ...this.pasts];
  }

  /** Adds an answer. What was undone before it cannot be done again, unless this is it. */
  add(past: Past): void {
    const next = this.undone.at(-1);
    if (next && next.task.item === past.task.item && next.kind === past.kind && next.class === past.class) this.undone.pop();
    else this.undone = [];
    this.pasts.push(past);
  }

  /** Takes the last answer back. */
  undo(): Past | undefined {
    const past = this.pasts.pop();
    if (past) this.undone.push(past);
    return past;
  }

  /** What redo would do, without doing it. */
  get next(): Past | undefined {
    return this.undone.at(-1);
  }

  /** The last answer that stands. */
  get last(): Past | undefined {
    return this.pasts.at(-1);
  }

  get skipped(): boolean {
    return this.pasts.some((p) => p.kind === "skip");
  }
}
