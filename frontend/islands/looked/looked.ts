// Tells the server, while a page of what people vote on is in front of somebody,
// that it is: see README.md.

import { at } from "../outbox/base";
import { EVERY, GLANCE, Watch } from "./watch";

/** The most items that one report may name. */
const MOST = 500;

class Looked extends HTMLElement {
  private watch = new Watch(performance.now());
  private timer = 0;
  private sent = -Infinity;
  private refused = false;

  connectedCallback(): void {
    this.watch = new Watch(performance.now());
    this.timer = window.setInterval(this.tick, GLANCE / 2);
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel", "scroll", "touchstart"]) window.addEventListener(name, this.touch, { passive: true, capture: true });
    document.addEventListener("visibilitychange", this.leave);
    document.addEventListener("click", this.follow);
    window.addEventListener("blur", this.leave);
    window.addEventListener("pagehide", this.leave);
    this.tick();
  }

  disconnectedCallback(): void {
    this.leave();
    clearInterval(this.timer);
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel", "scroll", "touchstart"]) window.removeEventListener(name, this.touch, { capture: true });
    document.removeEventListener("visibilitychange", this.leave);
    document.removeEventListener("click", this.follow);
    window.removeEventListener("blur", this.leave);
    window.removeEventListener("pagehide", this.leave);
  }

  private readonly touch = (): void => this.watch.touch(performance.now());

  private readonly tick = (): void => {
    const now = performance.now();
    const looking = document.visibilityState === "visible" && document.hasFocus() && this.watch.there(now);
    this.watch.tick(now, looking, looking ? this.inView() : []);
    if (looking && now - this.sent >= EVERY) this.tell(now);
  };

  /** The last is told when the page goes, or somebody turns to another. */
  private readonly leave = (): void => {
    if (this.sent > -Infinity) this.tell(performance.now());
  };

  /** A file that is fetched from this page is opened, too. */
  private readonly follow = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>("a[data-looked]") : null;
    if (link) void this.send(link.dataset["looked"] ?? "", { millis: 0, items: [] });
  };

  /** The items that stand in the window with more than half of themselves, or fill half of it. */
  private inView(): number[] {
    const found: number[] = [];
    for (const item of document.querySelectorAll<HTMLElement>("[data-place]")) {
      const box = item.getBoundingClientRect();
      const seen = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
      if (box.height > 0 && seen > Math.min(box.height, innerHeight) / 2) found.push(Number(item.dataset["place"]));
    }
    return found;
  }

  private tell(now: number): void {
    const taken = this.watch.take();
    if (this.sent > -Infinity && taken.millis < GLANCE && taken.items.length === 0) {
      this.watch.back(taken);
      return;
    }
    this.sent = now;
    void this.send(this.dataset["kind"] ?? "", taken);
  }

  private async send(kind: string, taken: { millis: number; items: number[] }): Promise<void> {
    if (this.refused) return;
    const body = new URLSearchParams({ kind, thing: this.dataset["thing"] ?? "" });
    if (!("untimed" in this.dataset)) body.set("millis", String(Math.round(taken.millis)));
    for (const item of taken.items.slice(0, MOST)) body.append("item", String(item));
    try {
      const response = await fetch(at(this.dataset["to"] ?? ""), { method: "POST", body, keepalive: true, credentials: "same-origin", headers: { Accept: "application/json" } });
      // Who may not look any more is not asked again by this page.
      this.refused = response.status >= 400 && response.status < 500 && response.status !== 401 && response.status !== 429;
      if (response.ok) return;
    } catch {
      // The network is away.
    }
    this.watch.back(taken);
  }
}

if (typeof customElements !== "undefined") customElements.define("adjudge-looked", Looked);
