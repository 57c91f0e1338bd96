// The log of a run as it grows: follow, search, jump to errors, link to a line.
// A part of it is on the page, whatever its length; scrolling brings in what is
// before and after.

import { count } from "../outbox/words";
import { anchor, cut, isError, isMachine, type Line, pieces } from "./lines";

interface Config {
  src: string;
  run: string;
  over: boolean;
  words: Record<string, string>;
}

/** How many lines are on the page at most, and how many bytes are fetched at once. */
const KEPT = 6_000;
const PIECE = 256 << 10;

/** Where a line is, as the server says it. */
interface Place {
  fence: number;
  offset: number;
  line: number;
  lines: number;
}

class RunLog extends HTMLElement {
  private config!: Config;
  private box!: HTMLElement;
  private list = document.createElement("ol");
  private fence = "";
  private rows: Line[] = []; // what is on the page
  private first = 1; // the number of its first line
  private next = 0; // the byte after its last line
  private total = 0; // bytes of the whole log so far
  private lines = 0; // lines of the whole log, as far as is known
  private at = 0; // the line that was jumped to
  private begun = false;
  private work: Promise<void> = Promise.resolve();
  private waiting = false;
  private timer = 0;
  private resized = new ResizeObserver(() => this.toEnd());
  private moved = (): void => void this.queue(() => this.toLine(anchor(location.hash)));

  connectedCallback(): void {
    this.config = JSON.parse(this.dataset["config"] ?? "{}") as Config;
    this.box = this.piece("lines");
    this.box.replaceChildren(this.list);
    this.piece("tools").hidden = false;
    document.addEventListener("adjudge:live", this.heard);
    this.box.addEventListener("scroll", this.scrolled);
    this.follow.addEventListener("change", () => {
      if (this.follow.checked) void this.queue(() => this.tail());
    });
    this.search.addEventListener("input", () => {
      this.mark();
    });
    this.search.addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || this.search.value.trim() === "") return;
      e.preventDefault();
      void this.queue(() => this.jump(`text=${encodeURIComponent(this.search.value.trim())}`, e.shiftKey));
    });
    this.piece("error").addEventListener("click", () => void this.queue(() => this.jump("errors=1", false)));
    this.list.addEventListener("click", this.link);
    // Lines wrap anew when the window changes; who follows stays at the end.
    this.resized.observe(this.box);
    window.addEventListener("hashchange", this.moved);
    void this.load();
    if (!this.config.over) this.timer = window.setInterval(this.fallback, 2000);
  }

  disconnectedCallback(): void {
    this.resized.disconnect();
    window.removeEventListener("hashchange", this.moved);
    document.removeEventListener("adjudge:live", this.heard);
    clearInterval(this.timer);
  }

  /** Queue does one thing after the other; what fails for want of a server is tried again by the next. */
  private queue(step: () => Promise<void>): Promise<void> {
    this.work = this.work.then(step).catch(() => undefined);
    return this.work;
  }

  private piece(name: string): HTMLElement {
    return this.querySelector<HTMLElement>(`[data-part=${name}]`)!;
  }

  private get follow(): HTMLInputElement {
    return this.piece("follow") as HTMLInputElement;
  }

  private get search(): HTMLInputElement {
    return this.piece("search") as HTMLInputElement;
  }

  private say(key: string, values: Record<string, string | number> = {}): string {
    return (this.config.words[key] ?? "").replace(/\[(\w+)\]/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
  }

  private heard = (e: Event): void => {
    const events = (e as CustomEvent<{ kind: string; subject: string }[]>).detail ?? [];
    if (events.some((x) => (x.kind === "run.grew" && x.subject === `run/${this.config.run}`) || x.kind.startsWith("job."))) void this.load();
  };

  private fallback = (): void => {
    if (!("live" in document.documentElement.dataset)) void this.load();
  };

  /** Load fetches what is new; calls meanwhile become one. */
  private async load(): Promise<void> {
    if (this.waiting) return;
    this.waiting = true;
    await this.queue(async () => {
      this.waiting = false;
      if (!this.begun) await this.begin();
      else while (await this.grow());
    });
  }

  private async begin(): Promise<void> {
    const wanted = anchor(location.hash);
    if (wanted > 0) await this.toLine(wanted);
    else await this.tail();
    this.begun = true;
  }

  /** Fetches whole lines from a byte on where a line begins; null: another attempt has begun. */
  private async fetch(offset: number, limit = PIECE): Promise<{ lines: Line[]; next: number } | null> {
    const response = await fetch(`${this.config.src}?offset=${offset}&limit=${limit}`);
    if (!response.ok) throw new Error(response.statusText);
    const fence = response.headers.get("X-Log-Fence") ?? "";
    if (this.fence !== "" && this.fence !== "0" && fence !== this.fence) {
      // Another attempt began a log of its own.
      this.fence = fence;
      this.lines = 0;
      this.show([], 1, 0);
      this.tell(this.say("attempt"));
      return null;
    }
    this.fence = fence;
    const over = response.headers.get("X-Log-Over") === "true";
    this.total = Number(response.headers.get("X-Log-Total"));
    const bytes = new Uint8Array(await response.arrayBuffer());
    const last = offset + bytes.length >= this.total;
    if (over && last) clearInterval(this.timer);
    // A line longer than a piece is cut where the piece ends.
    return cut(bytes, offset, (last && over) || (bytes.length >= limit && !bytes.includes(10)));
  }

  private async find(query: string): Promise<Place> {
    const response = await fetch(`${this.config.src}/find?${query}`);
    if (!response.ok) throw new Error(response.statusText);
    const place = (await response.json()) as Place;
    this.lines = Math.max(this.lines, place.lines);
    return place;
  }

  /** Grow fetches what follows the last line on the page and reports whether there may be more. */
  private async grow(): Promise<boolean> {
    const before = this.next;
    const atEnd = before >= this.total;
    if (!atEnd && !this.follow.checked) {
      // Something else is looked at; only how long the log is has changed.
      const place = await this.find("offset=0");
      this.lines = place.lines;
      this.words();
      return false;
    }
    const piece = await this.fetch(before);
    if (piece === null) return true;
    this.put(piece.lines, piece.next);
    this.toEnd();
    return piece.lines.length > 0 && this.next < this.total;
  }

  private put(lines: Line[], next: number): void {
    this.rows.push(...lines);
    this.list.append(...lines.map((l, i) => this.row(l.text, this.first + this.rows.length - lines.length + i)));
    this.next = next;
    this.lines = Math.max(this.lines, this.first + this.rows.length - 1);
    const extra = this.rows.length - KEPT;
    if (extra > 0) {
      const height = this.box.scrollHeight;
      for (let i = 0; i < extra; i++) this.list.firstElementChild?.remove();
      this.rows.splice(0, extra);
      this.first += extra;
      this.box.scrollTop -= height - this.box.scrollHeight;
    }
    this.words();
    if (this.search.value !== "") this.mark();
  }

  /** Earlier brings in what stands before the first line on the page. */
  private async earlier(): Promise<void> {
    const start = this.rows[0]?.offset ?? 0;
    if (start === 0) return;
    const from = await this.find(`offset=${Math.max(0, start - PIECE)}`);
    // A line longer than a piece: begin with it.
    const place = from.line < this.first ? from : await this.find(`line=${this.first - 1}`);
    const piece = await this.fetch(place.offset, start - place.offset);
    if (piece === null) return;
    const lines = piece.lines.filter((l) => l.offset < start);
    const height = this.box.scrollHeight;
    this.rows.unshift(...lines);
    this.first -= lines.length;
    this.list.prepend(...lines.map((l, i) => this.row(l.text, this.first + i)));
    this.box.scrollTop += this.box.scrollHeight - height;
    const extra = this.rows.length - KEPT;
    if (extra > 0) {
      this.next = this.rows[KEPT]!.offset;
      this.rows.length = KEPT;
      for (let i = 0; i < extra; i++) this.list.lastElementChild?.remove();
    }
    this.words();
    if (this.search.value !== "") this.mark();
  }

  private async later(): Promise<void> {
    if (this.next >= this.total) return;
    const piece = await this.fetch(this.next);
    if (piece !== null) this.put(piece.lines, piece.next);
  }

  /** Show replaces what is on the page. */
  private show(lines: Line[], first: number, next: number): void {
    this.rows = [];
    this.first = first;
    this.list.replaceChildren();
    this.put(lines, next);
  }

  /** Tail shows the end of the log. */
  private async tail(): Promise<void> {
    const size = await this.find("offset=0");
    const place = size.line === 0 ? { line: 1, offset: 0 } : await this.find(`line=${Math.max(1, size.lines - KEPT / 2)}`);
    const piece = await this.fetch(place.offset);
    if (piece === null) return;
    this.show(piece.lines, place.line, piece.next);
    this.follow.checked = true;
    while (this.next < this.total && (await this.grow()));
    this.toEnd();
  }

  private row(line: string, n: number): HTMLLIElement {
    const li = document.createElement("li");
    li.id = `L${n}`;
    if (n === this.at) li.classList.add("at");
    if (isMachine(line)) li.classList.add("machine");
    else if (isError(line)) li.classList.add("error");
    const number = document.createElement("button");
    number.type = "button";
    number.tabIndex = -1;
    number.textContent = String(n);
    number.title = this.say("line", { n });
    number.setAttribute("aria-label", number.title);
    const text = document.createElement("span");
    text.textContent = line;
    li.append(number, text);
    return li;
  }

  private words(): void {
    const last = this.first + this.rows.length - 1;
    const all = this.first === 1 && this.next >= this.total;
    const n = (x: number): string => count(x);
    this.piece("words").textContent =
      this.lines === 0 ? this.say("empty") : this.say("lines", { n: n(this.lines) }) + (all ? "" : ". " + this.say("part", { from: n(this.first), to: n(last) }));
  }

  private toEnd(): void {
    if (this.follow.checked) this.box.scrollTop = this.box.scrollHeight;
  }

  private width = 0;

  /** Scrolling up is a wish to stay; scrolling to the end one to follow. What lies beyond the edge is brought in. */
  private scrolled = (): void => {
    if (this.box.clientWidth !== this.width) {
      this.width = this.box.clientWidth; // the browser scrolled, not a person
      return;
    }
    const below = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
    this.follow.checked = below < 24 && this.next >= this.total;
    if (!this.begun || this.edge) return;
    const step = this.box.scrollTop < 600 && this.first > 1 ? () => this.earlier() : below < 600 && this.next < this.total ? () => this.later() : null;
    if (step === null) return;
    this.edge = true;
    void this.queue(step).then(() => (this.edge = false));
  };

  private edge = false;

  private mark(): void {
    const search = this.search.value.trim();
    let found = 0;
    for (const li of this.list.children) {
      const text = li.lastElementChild!;
      if (search === "" && !text.querySelector("mark")) continue;
      const parts = pieces(text.textContent ?? "", search);
      if (parts.some((p) => p.hit)) found++;
      text.replaceChildren(
        ...parts.map((p) => {
          if (!p.hit) return document.createTextNode(p.text);
          const m = document.createElement("mark");
          m.textContent = p.text;
          return m;
        }),
      );
    }
    this.piece("found").textContent = search === "" ? "" : this.say("matches", { n: found });
  }

  /** Jump goes to the next line of the whole log that matches, or to the one before. */
  private async jump(query: string, back: boolean): Promise<void> {
    const place = await this.find(`${query}&from=${this.at}${back ? "&back=1" : ""}`);
    if (place.line === 0) {
      this.tell(this.say(query.startsWith("errors") ? "noerrors" : "nomatch"));
      return;
    }
    await this.toLine(place.line, place);
    this.piece("found").textContent = this.say("at", { n: count(place.line) });
  }

  /** ToLine shows a line, wherever it is. */
  private async toLine(n: number, known?: Place): Promise<void> {
    if (n < 1) return;
    let place = known ?? null;
    if (!this.begun || n < this.first || n >= this.first + this.rows.length) {
      place = await this.find(`line=${Math.max(1, n - 200)}`);
      if (place.line === 0) return;
      const piece = await this.fetch(place.offset);
      if (piece === null) return;
      this.follow.checked = false;
      this.show(piece.lines, place.line, piece.next);
      while (n >= this.first + this.rows.length && this.next < this.total) {
        const last = this.next;
        await this.later();
        if (this.next === last) break;
      }
    }
    const row = this.list.querySelector<HTMLElement>(`#L${Math.min(n, this.first + this.rows.length - 1)}`);
    if (!row) return;
    this.at = n;
    this.follow.checked = false;
    this.list.querySelector(".at")?.classList.remove("at");
    row.classList.add("at");
    this.box.scrollTop = row.offsetTop - this.box.offsetTop - this.box.clientHeight / 3;
  }

  private link = (e: Event): void => {
    const number = (e.target as HTMLElement).closest("button");
    if (!number) return;
    const n = Number(number.textContent);
    history.replaceState(null, "", `#L${n}`);
    void this.queue(() => this.toLine(n));
    void navigator.clipboard?.writeText(location.href).then(() => this.tell(this.say("copied", { n })));
  };

  private tell(words: string): void {
    document.dispatchEvent(new CustomEvent("adjudge:status", { detail: words }));
  }
}

customElements.define("run-log", RunLog);
