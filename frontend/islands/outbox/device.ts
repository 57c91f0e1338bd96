// What this device keeps, in IndexedDB: the outbox, and for the labeling page the
// last answers (for undo) and drafts. Each record names its person.

import type { Entry, Shelf } from "./queue";

const NAME = "adjudge-label";
const PATIENCE = 5_000;

/** Whether this device has a store: where it has none, nothing waits. */
export async function hasDevice(): Promise<boolean> {
  if (!indexedDB.databases) return true; // an old browser does not say: open it and see
  return (await indexedDB.databases()).some((d) => d.name === NAME);
}

/** Opens the device's store, or makes it; every page shares it, so its shape stands here. */
export async function openDevice(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    for (const [name, key] of [["outbox", "id"], ["past", "id"], ["draft", "key"]] as const) {
      request.result.createObjectStore(name, { keyPath: key }).createIndex("person", "person");
    }
  };
  // A page that was left while it made the store can keep it locked.
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("the device's store does not open")), PATIENCE));
  const db = await Promise.race([done(request), late]);
  // Another tab with a newer version of this page must not wait for this one.
  db.onversionchange = () => db.close();
  return db;
}

export function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export function finished(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onerror = tx.onabort = () => reject(tx.error ?? new Error("aborted"));
  });
}

/**
 * The items of which another living tab holds an entry. All entries of an item
 * belong to one tab, so that an answer and its undo go out in their order.
 */
export function taken(all: Entry[], tab: string, former: string, now: number): Set<string> {
  const items = new Set<string>();
  for (const { claim, item } of all) {
    if (claim && claim.tab !== tab && claim.tab !== former && claim.until >= now) items.add(item);
  }
  return items;
}

/** The outbox on this device. */
export class DeviceShelf implements Shelf {
  constructor(private readonly db: IDBDatabase) {}

  static async open(): Promise<DeviceShelf> {
    return new DeviceShelf(await openDevice());
  }

  private write(durability: "strict" | "relaxed"): IDBTransaction {
    // "strict": acknowledged means on the disk, not in the system's cache.
    return this.db.transaction("outbox", "readwrite", { durability });
  }

  async enter(e: Entry, now: number): Promise<boolean> {
    // Handed over whole and committed in the very task that made the answer: a
    // page that goes away in the next one would take an open transaction along.
    const tx = this.write("strict");
    tx.objectStore("outbox").put(e);
    tx.commit?.(); // Safari before 15 has none
    await finished(tx);
    // From here on other tabs see the claim. Where two of them entered the same
    // item at once, each sees the other's, both let go, and one claims all of it.
    if (!taken(await this.list(e.person), e.claim?.tab ?? "", "", now).has(e.item)) return true;
    delete e.claim;
    await this.put(e);
    return false;
  }

  async put(e: Entry): Promise<void> {
    const tx = this.write("strict");
    tx.objectStore("outbox").put(e);
    await finished(tx);
  }

  async remove(id: string): Promise<void> {
    const tx = this.write("relaxed");
    tx.objectStore("outbox").delete(id);
    await finished(tx);
  }

  async list(person: string): Promise<Entry[]> {
    const all = await done<Entry[]>(this.db.transaction("outbox").objectStore("outbox").index("person").getAll(person));
    return all.sort((a, b) => a.made - b.made);
  }

  async claim(person: string, tab: string, former: string, now: number, until: number): Promise<{ mine: Entry[]; others: number }> {
    if ((await this.list(person)).length === 0) return { mine: [], others: 0 }; // most of the time
    const tx = this.write("strict");
    const store = tx.objectStore("outbox");
    const all = await done<Entry[]>(store.index("person").getAll(person));
    const busy = taken(all, tab, former, now);
    const mine = all.filter((e) => !busy.has(e.item));
    for (const e of mine) {
      e.claim = { tab, until };
      store.put(e);
    }
    await finished(tx);
    return { mine, others: all.length - mine.length };
  }

  async renew(person: string, tab: string, until: number): Promise<void> {
    const tx = this.write("relaxed");
    const store = tx.objectStore("outbox");
    for (const e of await done<Entry[]>(store.index("person").getAll(person))) {
      if (e.claim?.tab === tab) {
        e.claim.until = until;
        store.put(e);
      }
    }
    await finished(tx);
  }
}

/** A shelf that is exchanged for another, once there is one: it holds nothing itself. */
export class LateShelf implements Shelf {
  constructor(public inner: Shelf) {}
  enter = (e: Entry, now: number): Promise<boolean> => this.inner.enter(e, now);
  put = (e: Entry): Promise<void> => this.inner.put(e);
  remove = (id: string): Promise<void> => this.inner.remove(id);
  list = (person: string): Promise<Entry[]> => this.inner.list(person);
  claim = (person: string, tab: string, former: string, now: number, until: number): Promise<{ mine: Entry[]; others: number }> =>
    this.inner.claim(person, tab, former, now, until);
  renew = (person: string, tab: string, until: number): Promise<void> => this.inner.renew(person, tab, until);
}

/** Stands in where the browser keeps nothing: the page says so. */
export class MemoryShelf implements Shelf {
  private readonly kept = new Map<string, Entry>();

  async enter(e: Entry, now: number): Promise<boolean> {
    const mine = !taken([...this.kept.values()].filter((x) => x.person === e.person), e.claim?.tab ?? "", "", now).has(e.item);
    if (!mine) delete e.claim;
    this.kept.set(e.id, { ...e });
    return mine;
  }

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
    const busy = taken(all, tab, former, now);
    const mine = all.filter((e) => !busy.has(e.item));
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
