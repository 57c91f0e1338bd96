// Drafts: what somebody has begun and not sent. They are kept on this device at
// once and on the server a moment later, so that another computer goes on.

/** What has begun for one item. */
export interface Draft {
  class?: string; // chosen, not submitted
  typed?: string; // in the field that finds a class
  reason?: string; // of a skip
}

/** Where drafts go. */
export interface DraftPlaces {
  device: { keepDraft(person: string, item: string, d: Draft, sent: boolean): Promise<void>; dropDraft(person: string, item: string): Promise<void> };
  server(item: string, d: Draft, last: boolean): Promise<void>;
}

const PAUSE = 700;

export class Drafts {
  private readonly begun = new Map<string, Draft>();
  private readonly unsent = new Set<string>(); // items whose draft the server has not in this form
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly person: string, private readonly places: DraftPlaces) {}

  /**
   * Takes up what was begun earlier: on this device, unless the server has had
   * it, for then somebody may have gone on elsewhere; else what the server has.
   */
  adopt(item: string, here: (Draft & { sent?: boolean }) | undefined, there: Draft | undefined): void {
    if (this.begun.has(item)) return;
    const draft = here && !here.sent ? { class: here.class, typed: here.typed, reason: here.reason } : there;
    if (draft && !empty(draft)) this.begun.set(item, draft);
    if (here?.sent && !there) void this.places.device.dropDraft(this.person, item).catch(() => undefined);
  }

  of(item: string): Draft {
    return this.begun.get(item) ?? {};
  }

  /** Notes a change. */
  set(item: string, change: Draft): void {
    const draft = { ...this.of(item), ...change };
    if (empty(draft) && !this.begun.has(item)) return;
    this.begun.set(item, draft);
    this.unsent.add(item);
    void this.places.device.keepDraft(this.person, item, draft, false).catch(() => undefined);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
  }

  /** Sends what the server has not; last: the page is going. */
  flush(last = false): void {
    clearTimeout(this.timer);
    for (const item of [...this.unsent]) {
      const draft = this.of(item);
      this.unsent.delete(item);
      this.places.server(item, draft, last).then(
        () => {
          if (this.begun.get(item) !== draft) return; // changed or answered meanwhile
          if (empty(draft)) this.forget(item);
          else void this.places.device.keepDraft(this.person, item, draft, true).catch(() => undefined);
        },
        () => undefined, // it stays on this device, unsent
      );
    }
  }

  /** Ends the draft of an item that was answered; the server ends its own with the answer. */
  forget(item: string): void {
    this.unsent.delete(item);
    if (this.begun.delete(item)) void this.places.device.dropDraft(this.person, item).catch(() => undefined);
  }
}

function empty(d: Draft): boolean {
  return !d.class && !d.typed && !d.reason;
}
