// The drawer beside the item: guideline, what a class means with examples, and
// what became of the item before. It follows the pointer and the focus, and
// never takes the focus away.

const PAUSE = 120;

export class Peek {
  private readonly seen = new Map<string, string>();
  private wanted = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private chosen = "";
  private item = "";

  constructor(
    private readonly drawer: HTMLElement,
    private readonly body: HTMLElement,
    private readonly opener: HTMLElement,
    private readonly address: string,
    private readonly trouble: string,
  ) {}

  get open(): boolean {
    return !this.drawer.hidden;
  }

  toggle(): void {
    this.drawer.hidden = this.open;
    this.opener.setAttribute("aria-expanded", String(this.open));
    if (this.open) this.look(0);
  }

  /** The pointer or the focus is on a class. */
  point(chosen: string): void {
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    if (this.open) this.look(PAUSE);
  }

  /** The item that was answered last, "" for none; what is known of it has changed. */
  answered(item: string): void {
    this.item = item;
    this.seen.clear();
    if (this.open) this.look(PAUSE);
  }

  private look(pause: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.fetch(), pause);
  }

  private async fetch(): Promise<void> {
    const address = `${this.address}?class=${encodeURIComponent(this.chosen)}&item=${encodeURIComponent(this.item)}`;
    this.wanted = address;
    let html = this.seen.get(address);
    if (html === undefined) {
      try {
        const response = await fetch(address, { headers: { Accept: "text/html", "HX-Request": "true" }, credentials: "same-origin", signal: AbortSignal.timeout(10_000) });
        if (!response.ok) throw new Error(String(response.status));
        html = await response.text();
        this.seen.set(address, html);
      } catch {
        if (this.wanted === address) this.body.textContent = this.trouble;
        return;
      }
    }
    // Somebody has moved on meanwhile: what they point at now is on its way.
    if (this.wanted === address && this.open) this.body.innerHTML = html; // written by our own server, user text escaped
  }
}
