// The stage: the card on the screen and, drawn ahead and hidden, the one after it.

import type { Card } from "./card";

/** An answer sooner than this after the item's first paint was meant for the one before. */
export const TOO_QUICK = 150;

export class Stage {
  card: Card | null = null;
  next: Card | null = null;
  private hiddenFor = 0;
  private hiddenSince = 0;
  private scrolled = false;

  constructor(
    private readonly root: HTMLElement, // gets data-item and data-ready
    private readonly box: HTMLElement,
    private readonly shown: (card: Card | null) => void,
    signal: AbortSignal,
  ) {
    // Asking where the page stands would make the browser lay it out; this is told.
    window.addEventListener("scroll", () => (this.scrolled = true), { signal, passive: true });
  }

  /** Items that stand here, seen or not. */
  items(): Set<string> {
    return new Set([this.card, this.next].flatMap((c) => (c ? [c.task.item] : [])));
  }

  /** Puts a card on the screen, or nothing; the focus goes with it. */
  show(card: Card | null): void {
    this.card?.root.remove();
    if (card === this.next) this.next = null;
    this.card = card;
    this.hiddenFor = 0;
    this.hiddenSince = document.hidden ? performance.now() : 0;
    delete this.root.dataset["ready"];
    if (card) {
      card.root.hidden = false;
      if (!card.root.isConnected) this.box.append(card.root);
      this.root.dataset["item"] = card.task.item;
    } else {
      delete this.root.dataset["item"];
    }
    this.shown(card);
    if (!card) return;
    // What changes the page comes before what makes the browser lay it out.
    if (this.scrolled) {
      window.scrollTo({ top: 0, behavior: "instant" });
      this.scrolled = false;
    }
    card.focus();
    this.clock(card);
  }

  /** The card that follows, drawn when there is time. */
  prepare(card: Card): void {
    this.next = card;
    card.root.hidden = true;
    this.box.append(card.root);
  }

  /** Takes the card drawn ahead away again. */
  unprepare(): void {
    this.next?.root.remove();
    this.next = null;
  }

  /** Starts the time of an item anew: it was covered. */
  restart(): void {
    if (!this.card) return;
    this.card.painted = 0;
    delete this.root.dataset["ready"];
    this.clock(this.card);
  }

  private clock(card: Card): void {
    requestAnimationFrame(() => afterPaint(() => {
      if (card.painted === 0) card.painted = performance.now();
      setTimeout(() => {
        if (this.card === card) this.root.dataset["ready"] = ""; // for tests: answers are taken now
      }, TOO_QUICK);
    }));
  }

  tooQuick(): boolean {
    const painted = this.card?.painted ?? 0;
    return painted === 0 || performance.now() - painted < TOO_QUICK;
  }

  /** Milliseconds for which the item stood on a visible screen. */
  seen(): number {
    return Math.max(0, Math.round(performance.now() - (this.card?.painted ?? 0) - this.hiddenFor));
  }

  /** Notes time in which nobody saw the item. */
  unseen(ms: number): void {
    this.hiddenFor += ms;
  }

  /** How long the page has been hidden, 0 if it is seen. */
  hidden(): number {
    return document.hidden && this.hiddenSince ? performance.now() - this.hiddenSince : 0;
  }

  visibility(): void {
    if (document.hidden) this.hiddenSince = performance.now();
    else if (this.hiddenSince) {
      this.hiddenFor += performance.now() - this.hiddenSince;
      this.hiddenSince = 0;
    }
  }

  /** Scrolls on while there is more to read above foot; false when all was shown. */
  readOn(foot: HTMLElement): boolean {
    const box = this.card?.text;
    if (!box) return false;
    const inner = box.scrollHeight - box.clientHeight - box.scrollTop > 2;
    const outer = box.getBoundingClientRect().bottom > Math.min(foot.getBoundingClientRect().top, window.innerHeight) + 2;
    if (inner) box.scrollBy({ top: box.clientHeight * 0.85 });
    else if (outer) window.scrollBy({ top: window.innerHeight * 0.7 });
    return inner || outer;
  }
}

/** Runs after the frame that is being made was painted. */
export function afterPaint(f: () => void): void {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    f();
  };
  channel.port2.postMessage(null);
}
