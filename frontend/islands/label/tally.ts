// How far the work is: numbers of the server with the answers that it has not
// yet, drawn as a bar and in words.

import type { Progress } from "./server";

export class Tally {
  private progress: Progress = { items: 0, answered: 0, mine: 0 };

  constructor(
    private readonly bar: HTMLProgressElement,
    private readonly words: HTMLElement,
    private readonly text: (key: string, args: Record<string, number>) => string,
  ) {}

  /** Takes the server's numbers; waiting are answers it does not know of. */
  set(p: Progress, waiting: number): void {
    this.progress = { ...p, answered: Math.min(p.items, p.answered + waiting) };
    this.draw();
  }

  /** Counts an answer of this page, or one that was taken back (-1). */
  count(by: 1 | -1): void {
    const { items, answered, mine } = this.progress;
    this.progress = { items, answered: Math.max(0, Math.min(items, answered + by)), mine: Math.max(0, mine + by) };
    this.draw();
  }

  said(): string {
    return this.text("status.count", { n: this.progress.answered, of: this.progress.items });
  }

  private draw(): void {
    this.bar.max = Math.max(1, this.progress.items);
    this.bar.value = this.progress.answered;
    this.words.textContent = this.text("count", { n: this.progress.answered, of: this.progress.items, mine: this.progress.mine });
  }
}
