// What the labeling page asks of the server.

import { words } from "../outbox/send";
import type { Draft } from "./drafts";
import type { Task } from "./shelf";

/** How far the project or dataset is. */
export interface Progress {
  items: number;
  answered: number;
  mine: number;
}

export interface Batch {
  tasks: Task[];
  progress: Progress;
}

/** A refusal, in the server's words. */
export class Refusal extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const PATIENCE = 15_000;

export class Server {
  constructor(private readonly api: string, private readonly page: string, private readonly former: string, private readonly person: string) {}

  private async ask(method: string, path: string, body?: unknown, keepalive = false): Promise<Response> {
    return fetch(this.api + path, {
      method,
      keepalive,
      credentials: "same-origin",
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE),
    });
  }

  private async read<T>(response: Response): Promise<T> {
    if (!response.ok) throw new Refusal(response.status, await words(response));
    return (await response.json()) as T;
  }

  /** Leases tasks that no other page is offered. */
  async lease(dataset: string, count: number, skipped: boolean): Promise<Batch> {
    return this.read(await this.ask("POST", "/tasks/lease", { page: this.page, former: this.former, dataset, count, skipped }));
  }

  /** Keeps the leases; false when they had lapsed. */
  async beat(dataset: string): Promise<{ held: boolean; progress: Progress }> {
    return this.read(await this.ask("POST", "/tasks/heartbeat", { page: this.page, dataset }));
  }

  /** How far the project or dataset is. */
  async progress(dataset: string): Promise<Progress> {
    return this.read(await this.ask("GET", `/progress?dataset=${encodeURIComponent(dataset)}`));
  }

  /** Gives the leases back; called while the page goes away. */
  release(): void {
    void this.ask("POST", "/tasks/release", { page: this.page }, true).catch(() => undefined);
  }

  /** Keeps what this person has begun to say about an item; last: the page is going. */
  async saveDraft(item: string, draft: Draft, last: boolean): Promise<void> {
    const response = await this.ask("PUT", `/drafts/${encodeURIComponent(item)}`, { ...draft, person: this.person }, last);
    if (!response.ok) throw new Refusal(response.status, await words(response));
  }

  /** Stores this person's keys and returns the key of every class. */
  async saveKeys(off: boolean, classes: Record<string, string>): Promise<{ keys: Record<string, string> }> {
    return this.read(await this.ask("PUT", "/label-keys", { off, classes }));
  }
}
