// What this device keeps: the outbox, the last answers (for undo) and drafts,
// in IndexedDB, each record with its person.

import type { Entry, Shelf } from "./outbox";

/** An answer given earlier, with its item, so that undo can show it again. */
export interface Past {
  id: string;
  person: string;
  project: string;
  made: number;
  task: Task;
  kind: "answer" | "skip";
  class: string;
}

/** An item to judge, as the server offers it. */
export interface Task {
  item: string;
  dataset: string;
  text: string;
  suggestion?: string;
  score?: number;
  former?: string;
}

/** A class chosen but not submitted. */
export interface Draft {
  key: string; // person + item
  person: string;
  class: string;
  made: number;
}

const PASTS = 200;

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onerror = tx.onabort = () => reject(tx.error ?? new Error("aborted"));
  });
}

function claimable(e: Entry, tab: string, former: string, now: number): boolean {
  return !e.claim || e.claim.tab === tab || e.claim.tab === former || e.claim.until < now;
}

export class DeviceShelf implements Shelf {
  private constructor(private readonly db: IDBDatabase) {}

  static async open(): Promise<DeviceShelf> {
    const request = indexedDB.open("adjudge-label", 1);
    request.onupgradeneeded = () => {
      for (const [name, key] of [["outbox", "id"], ["past", "id"], ["draft", "key"]] as const) {
        request.result.createObjectStore(name, { keyPath: key }).createIndex("person", "person");
      }
    };
    const db = await done(request);
    // Another tab with a newer version of this page must not wait for this one.
    db.onversionchange = () => db.close();
    return new DeviceShelf(db);
  }

  private write(store: string): IDBTransaction {
    // "strict": acknowledged means on the disk, not in the system's cache.
    return this.db.transaction(store, "readwrite", { durability: "strict" });
  }

  async put(e: Entry): Promise<void> {
    const tx = this.write("outbox");
    tx.objectStore("outbox").put(e);
    await finished(tx);
  }

  async remove(id: string): Promise<void> {
    const tx = this.db.transaction("outbox", "readwrite", { durability: "relaxed" });
    tx.objectStore("outbox").delete(id);
    await finished(tx);
  }

  async list(person: string): Promise<Entry[]> {
    const all = await done<Entry[]>(this.db.transaction("outbox").objectStore("outbox").index("person").getAll(person));
    return all.sort((a, b) => a.made - b.made);
  }

  async claim(person: string, tab: string, former: string, now: number, until: number): Promise<{ mine: Entry[]; others: number }> {
    // One readwrite transaction: no other tab's runs at the same time.
    const tx = this.write("outbox");
    const store = tx.objectStore("outbox");
    const all = await done<Entry[]>(store.index("person").getAll(person));
    const mine = all.filter((e) => claimable(e, tab, former, now));
    for (const e of mine) {
      e.claim = { tab, until };
      store.put(e);
    }
    await finished(tx);
    return { mine, others: all.length - mine.length };
  }

  async renew(person: string, tab: string, until: number): Promise<void> {
    const tx = this.db.transaction("outbox", "readwrite", { durability: "relaxed" });
    const store = tx.objectStore("outbox");
    for (const e of await done<Entry[]>(store.index("person").getAll(person))) {
      if (e.claim?.tab === tab) {
        e.claim.until = until;
        store.put(e);
      }
    }
    await finished(tx);
  }

  async remember(past: Past): Promise<void> {
    const tx = this.db.transaction("past", "readwrite", { durability: "relaxed" });
    tx.objectStore("past").put(past);
    await finished(tx);
  }

  async forget(id: string): Promise<void> {
    const tx = this.db.transaction("past", "readwrite", { durability: "relaxed" });
    tx.objectStore("past").delete(id);
    await finished(tx);
  }

  /** The last answers of a person in a project, oldest first. */
  async pasts(person: string, project: string): Promise<Past[]> {
    const tx = this.db.transaction("past", "readwrite", { durability: "relaxed" });
    const store = tx.objectStore("past");
    const all = (await done<Past[]>(store.index("person").getAll(person))).sort((a, b) => a.made - b.made);
    for (const old of all.slice(0, Math.max(0, all.length - PASTS))) store.delete(old.id);
    return all.slice(-PASTS).filter((p) => p.project === project);
  }

  async draft(person: string, item: string): Promise<string> {
    const found = await done<Draft | undefined>(this.db.transaction("draft").objectStore("draft").get(`${person} ${item}`));
    return found?.class ?? "";
  }

  async setDraft(person: string, item: string, chosen: string): Promise<void> {
    const tx = this.db.transaction("draft", "readwrite", { durability: "relaxed" });
    const key = `${person} ${item}`;
    if (chosen) tx.objectStore("draft").put({ key, person, class: chosen, made: Date.now() } satisfies Draft);
    else tx.objectStore("draft").delete(key);
    await finished(tx);
  }
}

/** Stands in where the browser keeps nothing: the page says so. */
export class MemoryShelf implements Shelf {
  private readonly kept = new Map<string, Entry>();

  async put(e: Entry): Promise<void> {
    this.kept.set(e.id, { ...e });
  }

  async remove(id: string): Promise<void> {
    this.kept.delete(id);
  }

  async list(person: string): Promise<Entry[]> {
    return [...this.kept.values()].filter((e) => e.person === person).sort((a, b) => a.made - b.made);
  }

  async claim(person: string, tab: string, former: string, now: number, until: number): Promise<{ mine: Entry[]; others: number }> {
    const all = await this.list(person);
    const mine = all.filter((e) => claimable(e, tab, former, now));
    for (const e of mine) {
      e.claim = { tab, until };
      this.kept.set(e.id, { ...e });
    }
    return { mine: mine.map((e) => ({ ...e })), others: all.length - mine.length };
  }

  async renew(person: string, tab: string, until: number): Promise<void> {
    for (const e of this.kept.values()) if (e.person === person && e.claim?.tab === tab) e.claim.until = until;
  }
}
