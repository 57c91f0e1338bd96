// The tasks ahead: leased in small batches, so that the next item is here
// before it is asked for.

import type { Batch } from "./server";
import type { Task } from "./shelf";

export class Ahead {
  private tasks: Task[] = [];
  private readonly finished = new Set<string>(); // answered on this page, so never offered again by a late batch

  get length(): number {
    return this.tasks.length;
  }

  /** Takes the next task out. */
  next(): Task | undefined {
    return this.tasks.shift();
  }

  /** Puts tasks in front again, without those of an item that is shown anyway. */
  back(tasks: Task[], but: string): void {
    this.tasks = [...tasks.filter((t) => t.item !== but), ...this.tasks.filter((t) => t.item !== but)];
  }

  /** Forgets what was leased: others may have been offered it meanwhile. */
  drop(): void {
    this.tasks = [];
  }

  finish(item: string): void {
    this.finished.add(item);
  }

  reopen(item: string): void {
    this.finished.delete(item);
  }

  /**
   * Takes up a batch. Left out is what stands on this page, what waits in the
   * outbox (also what waited when the server was asked, for it did not know),
   * and what was answered here, unless skipped items are asked for again.
   */
  take(batch: Batch, onPage: Set<string>, waiting: Set<string>, again: boolean): Task[] {
    const here = new Set([...onPage, ...this.tasks.map((t) => t.item)]);
    const fresh = batch.tasks.filter((t) => !here.has(t.item) && !waiting.has(t.item) && (again || !this.finished.has(t.item)));
    this.tasks.push(...fresh);
    return fresh;
  }
}
