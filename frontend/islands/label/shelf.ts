// What the labeling page keeps on this device beside the outbox: the last
// answers (for undo) and drafts, each record with its person.

import { done, finished } from "../outbox/device";
import type { Draft } from "./drafts";

/** An item to judge, as the server offers it. */
export interface Task {
  item: string;
  dataset: string;
  text: string;
  media?: { kind: string; fault?: { message: string } }; // the object to judge; fault: it is not shown
  suggestion?: string;
  score?: number; // of the suggestion; absent: the model did not say
  former?: string;
  draft?: Draft;
}

/** An answer given earlier, with its item, so that undo can show it again. */
export interface Past {
  id: string;
  person: string;
  project: string;
  made: number;
  task: Task;
  kind: "answer" | "skip";
  class: string;
  body?: Record<string, unknown>; // what was sent, so that redo says the same again
}

/** A draft as the device keeps it; sent: the server has it. */
export interface KeptDraft extends Draft {
  key: string; // person + item
  person: string;
  made: number;
  sent?: boolean;
}

const PASTS = 200;

/** Keeps nothing where there is no store: db is null then. */
export class Shelf {
  constructor(private readonly db: IDBDatabase | null) {}

  private async write(store: string, act: (s: IDBObjectStore) => void): Promise<void> {
    if (!this.db) return;
    const tx = this.db.transaction(store, "readwrite", { durability: "relaxed" });
    act(tx.objectStore(store));
    await finished(tx);
  }

  async remember(past: Past): Promise<void> {
    await this.write("past", (s) => s.put(past));
  }

  async forget(id: string): Promise<void> {
    await this.write("past", (s) => s.delete(id));
  }

  /** The last answers of a person in a project, oldest first. */
  async pasts(person: string, project: string): Promise<Past[]> {
    if (!this.db) return [];
    const tx = this.db.transaction("past", "readwrite", { durability: "relaxed" });
    const store = tx.objectStore("past");
    const all = (await done<Past[]>(store.index("person").getAll(person))).sort((a, b) => a.made - b.made);
    for (const old of all.slice(0, Math.max(0, all.length - PASTS))) store.delete(old.id);
    return all.slice(-PASTS).filter((p) => p.project === project);
  }

  /** The drafts of a person, by item. */
  async drafts(person: string): Promise<Map<string, KeptDraft>> {
    if (!this.db) return new Map();
    const all = await done<KeptDraft[]>(this.db.transaction("draft").objectStore("draft").index("person").getAll(person));
    return new Map(all.map((d) => [d.key.slice(person.length + 1), d]));
  }

  async keepDraft(person: string, item: string, draft: Draft, sent: boolean): Promise<void> {
    await this.write("draft", (s) => s.put({ ...draft, key: `${person} ${item}`, person, made: Date.now(), sent } satisfies KeptDraft));
  }

  async dropDraft(person: string, item: string): Promise<void> {
    await this.write("draft", (s) => s.delete(`${person} ${item}`));
  }
}
