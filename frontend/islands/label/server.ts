// What the labeling page asks of the server.

import type { Answer, Entry } from "./outbox";
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

  /** Stores this person's keys and returns the key of every class. */
  async saveKeys(off: boolean, classes: Record<string, string>): Promise<{ keys: Record<string, string> }> {
    return this.read(await this.ask("PUT", "/label-keys", { off, classes }));
  }

  /** Sends one entry of the outbox. */
  async send(e: Entry): Promise<Answer> {
    const api = this.api.replace(/[^/]+$/, encodeURIComponent(e.project));
    const response = await fetch(
      e.kind === "undo"
        ? `${api}/annotations/${e.target}?person=${encodeURIComponent(this.person)}&page=${this.page}`
        : `${api}/annotations/${e.id}`,
      {
        method: e.kind === "undo" ? "DELETE" : "PUT",
        credentials: "same-origin",
        headers: { Accept: "application/json", ...(e.kind === "undo" ? {} : { "Content-Type": "application/json" }) },
        ...(e.kind === "undo" ? {} : { body: JSON.stringify({ ...e.body, item: e.item, kind: e.kind, person: e.person, page: this.page }) }),
        signal: AbortSignal.timeout(PATIENCE),
      },
    );
    if (response.ok) return "done";
    if (response.status === 401) return "login";
    // Too early, too many, our own trouble, or a proxy's: the same entry may pass later.
    if (response.status >= 500 || response.status === 408 || response.status === 425 || response.status === 429) return "later";
    return { refused: await words(response) };
  }
}

async function words(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: string; title?: string };
    return problem.detail || problem.title || `HTTP ${response.status}`;
  } catch {
    return `HTTP ${response.status}`;
  }
}
