// The outbox: answers wait here, on this device, until the server has them.
//
// An entry is written to IndexedDB before anything is sent. Entries of one item
// are sent one after the other, of several items side by side; an entry is
// removed when the server has acknowledged it, waits through outages and a
// lapsed login, and is parked where the server refuses it. Any page of the
// product sends what waits. A tab claims the entries it sends, all of an item
// together, so that two tabs do not send the same one; if they did, the server
// would take it once, for an entry is known by its id.

/** One thing to tell the server. */
export interface Entry {
  id: string;
  person: string;
  project: string; // slug
  page?: string; // the labeling page where it was made; holds the lease on its item
  kind: "answer" | "skip" | "undo";
  item: string;
  target?: string; // undo: the id of the answer or skip taken back
  body?: Record<string, unknown>; // what is sent with an answer or a skip
  words: string; // what it says, for people
  text: string; // the beginning of the item, for people
  made: number; // browser's clock; only for order and people's eyes
  tries: number;
  parked?: string; // why the server refused it
  claim?: { tab: string; until: number };
}

/** Where entries are kept. */
export interface Shelf {
  /** Keeps a new entry with its claim; false: another tab has entries of its item and sends this one too. */
  enter(e: Entry, now: number): Promise<boolean>;
  put(e: Entry): Promise<void>;
  remove(id: string): Promise<void>;
  /** All entries of a person, oldest first. */
  list(person: string): Promise<Entry[]>;
  /**
   * Claims the entries that no living tab has claimed, or the tab that this one
   * follows, and returns them with the number of those that others hold.
   */
  claim(person: string, tab: string, former: string, now: number, until: number): Promise<{ mine: Entry[]; others: number }>;
  /** Renews or ends the claims of a tab. */
  renew(person: string, tab: string, until: number): Promise<void>;
}

/** What the server said. */
export type Answer = "done" | "later" | "login" | { refused: string };

/** What the outbox has to say about itself. */
export interface State {
  waiting: number;
  parked: Entry[];
  trouble: "" | "offline" | "login" | "shelf";
  retryAt: number; // when it will try again, 0 if it is trying
  saved: number; // when something was acknowledged last, 0 never
}

const CLAIM = 15_000;
const SIDE_BY_SIDE = 6;

export class Outbox {
  private entries: Entry[] = [];
  private flying = new Set<string>();
  private landing = new Set<string>(); // not on the disk yet, so not sent yet
  private timer: ReturnType<typeof setTimeout> | undefined;
  private look: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private state: State = { waiting: 0, parked: [], trouble: "", retryAt: 0, saved: 0 };
  private shelfBroken = false;
  private elsewhere = 0; // entries that other tabs are sending

  constructor(
    private readonly shelf: Shelf,
    private readonly person: string,
    private readonly tab: string,
    private readonly former: string, // the page that stood in this tab before
    private readonly send: (e: Entry) => Promise<Answer>,
    private readonly changed: (s: State) => void,
    saved = 0, // when something was acknowledged last, before this page
    private readonly now: () => number = Date.now,
    private readonly random: () => number = Math.random,
  ) {
    this.state.saved = saved;
  }

  /** Takes over what an earlier page left behind, now and then again. */
  async adopt(): Promise<void> {
    try {
      const { mine, others } = await this.shelf.claim(this.person, this.tab, this.former, this.now(), this.now() + CLAIM);
      this.elsewhere = others;
      // Another tab says nothing when it is done: look again soon.
      if (others > 0 && this.look === undefined) {
        this.look = setTimeout(() => {
          this.look = undefined;
          void this.adopt();
        }, 1000);
      }
      for (const e of mine) if (!this.entries.some((x) => x.id === e.id)) this.entries.push(e);
      this.entries.sort((a, b) => (a.made - b.made) || (a.id < b.id ? -1 : 1));
      if (this.entries.length > 0) await this.shelf.renew(this.person, this.tab, this.now() + CLAIM);
    } catch {
      this.shelfBroken = true;
    }
    this.tell();
    this.pump();
  }

  /** Ends this tab's claims, so that the next page need not wait for them. */
  async release(): Promise<void> {
    try {
      await this.shelf.renew(this.person, this.tab, 0);
    } catch {
      // They lapse by themselves.
    }
  }

  /** Keeps an entry, resolves when it is on this device's disk, and sends it. */
  async add(e: Entry): Promise<void> {
    e.claim = { tab: this.tab, until: this.now() + CLAIM };
    this.entries.push(e);
    this.tell();
    this.landing.add(e.id);
    try {
      if (!(await this.shelf.enter(e, this.now()))) {
        this.entries = this.entries.filter((x) => x.id !== e.id);
        this.landing.delete(e.id);
        return await this.adopt();
      }
    } catch {
      this.shelfBroken = true;
      this.tell();
    }
    this.landing.delete(e.id);
    this.pump();
  }

  /** Whether an item has an answer here that the server has not. */
  holds(item: string): boolean {
    return this.entries.some((e) => e.item === item);
  }

  /** What the server refused. */
  parked(): Entry[] {
    return this.entries.filter((e) => e.parked);
  }

  /** Items with entries that wait. */
  items(): Set<string> {
    return new Set(this.entries.map((e) => e.item));
  }

  /** Tries again at once: the network is back, or somebody signed in. */
  nudge(): void {
    this.failures = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.state.retryAt = 0;
    this.pump();
  }

  /** Sends a parked entry again. */
  async retry(id: string): Promise<void> {
    const e = this.entries.find((x) => x.id === id);
    if (!e) return;
    delete e.parked;
    await this.shelf.put(e).catch(() => undefined);
    this.tell();
    this.nudge();
  }

  /** Throws an entry away; only at a person's word. */
  async discard(id: string): Promise<void> {
    await this.drop(id);
    this.tell();
  }

  private async drop(id: string): Promise<void> {
    this.entries = this.entries.filter((x) => x.id !== id);
    await this.shelf.remove(id).catch(() => undefined);
  }

  private tell(): void {
    const parked = this.entries.filter((e) => e.parked);
    this.state = { ...this.state, parked, waiting: this.entries.length - parked.length + this.elsewhere };
    if (this.shelfBroken && !this.state.trouble) this.state.trouble = "shelf";
    this.changed(this.state);
  }

  /** Sends what may be sent now. */
  private pump(): void {
    if (this.timer !== undefined) return;
    const busy = new Set<string>();
    for (const e of this.entries) if (this.flying.has(e.id)) busy.add(e.item);
    for (const e of [...this.entries]) {
      if (this.flying.size >= SIDE_BY_SIDE) return;
      if (e.parked || this.flying.has(e.id) || busy.has(e.item)) continue;
      busy.add(e.item);
      if (this.landing.has(e.id)) continue;
      const parked = e.kind === "undo" ? this.entries.find((x) => x.id === e.target && x.parked) : undefined;
      if (parked) {
        // What the server refused needs no undoing there.
        void Promise.all([this.drop(parked.id), this.drop(e.id)]).then(() => {
          this.tell();
          this.pump();
        });
        continue;
      }
      void this.fly(e);
    }
  }

  private async fly(e: Entry): Promise<void> {
    this.flying.add(e.id);
    e.tries++;
    let answer: Answer;
    try {
      answer = await this.send(e);
    } catch {
      answer = "later";
    }
    this.flying.delete(e.id);
    if (answer === "done") {
      this.failures = 0;
      this.state.saved = this.now();
      this.state.trouble = "";
      this.state.retryAt = 0;
      await this.drop(e.id);
    } else if (answer === "later" || answer === "login") {
      this.state.trouble = answer === "login" ? "login" : "offline";
      this.wait();
    } else {
      e.parked = answer.refused;
      await this.shelf.put(e).catch(() => undefined);
    }
    this.tell();
    this.pump();
  }

  /** Waits longer after each failure: 0.5, 1, 2 … 15 seconds, give or take. */
  private wait(): void {
    if (this.timer !== undefined) return;
    const pause = Math.min(15_000, 500 * 2 ** Math.min(this.failures++, 10)) * (0.75 + this.random() / 2);
    this.state.retryAt = this.now() + pause;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.state.retryAt = 0;
      this.pump();
    }, pause);
  }
}
