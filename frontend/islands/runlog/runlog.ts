// The log of a run as it grows: follow, search, jump to errors, link to a line.

import { anchor, isError, isMachine, pieces, Splitter } from "./lines";

interface Config {
  src: string;
  run: string;
  over: boolean;
  words: Record<string, string>;
}

const KEPT = 20_000;

class RunLog extends HTMLElement {
  private config!: Config;
  private box!: HTMLElement;
  private list = document.createElement("ol");
  private splitter = new Splitter();
  private offset = 0;
  private fence = "";
  private total = 0; // lines so far, those left out included
  private busy = false;
  private again = false;
  private timer = 0;
  private hit = -1;
  private resized = new ResizeObserver(() => this.toEnd());
  private moved = (): void => this.toLine(anchor(location.hash));

  connectedCallback(): void {
    this.config = JSON.parse(this.dataset["config"] ?? "{}") as Config;
    this.box = this.piece("lines");
    this.box.replaceChildren(this.list);
    this.piece("tools").hidden = false;
    document.addEventListener("adjudge:live", this.heard);
    this.box.addEventListener("scroll", this.scrolled);
    this.follow.addEventListener("change", () => this.toEnd());
    this.search.addEventListener("input", () => this.mark());
    this.search.addEventListener("keydown", (e) => {
      if (e.key !== "Enter") return;
      e.preventDefault();
      this.jump("li:has(mark)", e.shiftKey ? -1 : 1);
    });
    this.piece("error").addEventListener("click", () => this.jump("li.error", 1));
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

  /** Load fetches from the offset on until there is nothing new. */
  private async load(): Promise<void> {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      for (let more = true; more; ) more = await this.step();
    } catch {
      // The server is away; the next event or tick goes on from the offset.
    }
    this.busy = false;
    if (this.again) {
      this.again = false;
      void this.load();
    }
  }

  private async step(): Promise<boolean> {
    const response = await fetch(`${this.config.src}?offset=${this.offset}`);
    if (!response.ok) return false;
    const fence = response.headers.get("X-Log-Fence") ?? "";
    const over = response.headers.get("X-Log-Over") === "true";
    const total = Number(response.headers.get("X-Log-Total"));
    if (this.fence !== "" && fence !== this.fence) {
      // Another attempt began a log of its own.
      this.fence = fence;
      this.offset = this.total = 0;
      this.splitter = new Splitter();
      this.list.replaceChildren();
      this.tell(this.say("attempt"));
      return true;
    }
    this.fence = fence;
    const bytes = new Uint8Array(await response.arrayBuffer());
    this.offset += bytes.length;
    this.add(this.splitter.take(bytes, over && this.offset >= total));
    if (over && this.offset >= total) {
      clearInterval(this.timer);
    }
    this.words();
    return bytes.length > 0 && this.offset < total;
  }

  private add(lines: string[]): void {
    const rows = lines.slice(-KEPT).map((line, i) => this.row(line, this.total + Math.max(0, lines.length - KEPT) + i + 1));
    const first = this.total === 0 && lines.length > 0;
    this.total += lines.length;
    this.list.append(...rows);
    while (this.list.childElementCount > KEPT) this.list.firstElementChild?.remove();
    const wanted = anchor(location.hash);
    if (first && wanted > 0) this.toLine(wanted);
    else this.toEnd();
    if (this.search.value !== "") this.mark();
  }

  private row(line: string, n: number): HTMLLIElement {
    const li = document.createElement("li");
    li.id = `L${n}`;
    if (isMachine(line)) li.className = "machine";
    else if (isError(line)) li.className = "error";
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
    const left = this.total - this.list.childElementCount;
    this.piece("words").textContent = this.total === 0 ? this.say("empty") : this.say("lines", { n: this.total.toLocaleString("en") }) + (left > 0 ? ". " + this.say("cut") : "");
  }

  private toEnd(): void {
    if (this.follow.checked) this.box.scrollTop = this.box.scrollHeight;
  }

  private width = 0;

  /** Scrolling up is a wish to stay; scrolling to the end one to follow. */
  private scrolled = (): void => {
    if (this.box.clientWidth !== this.width) {
      this.width = this.box.clientWidth; // the browser scrolled, not a person
      return;
    }
    this.follow.checked = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 24;
  };

  private mark(): void {
    const search = this.search.value.trim();
    let found = 0;
    for (const li of this.list.children) {
      const text = li.lastElementChild!;
      if (search === "" && !text.querySelector("mark")) continue;
      const cut = pieces(text.textContent ?? "", search);
      if (cut.some((p) => p.hit)) found++;
      text.replaceChildren(
        ...cut.map((p) => {
          if (!p.hit) return document.createTextNode(p.text);
          const m = document.createElement("mark");
          m.textContent = p.text;
          return m;
        }),
      );
    }
    this.hit = -1;
    this.piece("found").textContent = search === "" ? "" : this.say("matches", { n: found, of: this.list.childElementCount });
  }

  private jump(selector: string, by: number): void {
    const rows = [...this.list.querySelectorAll<HTMLElement>(selector)];
    if (rows.length === 0) {
      this.tell(this.say("noerrors"));
      return;
    }
    this.hit = (((this.hit + by) % rows.length) + rows.length) % rows.length;
    this.show(rows[this.hit]!);
    this.piece("found").textContent = this.say("matches", { n: this.hit + 1, of: rows.length });
  }

  private toLine(n: number): void {
    const row = this.list.querySelector<HTMLElement>(`#L${n}`);
    if (row) this.show(row);
  }

  private show(row: HTMLElement): void {
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
    this.toLine(n);
    void navigator.clipboard?.writeText(location.href).then(() => this.tell(this.say("copied", { n })));
  };

  private tell(words: string): void {
    document.dispatchEvent(new CustomEvent("adjudge:status", { detail: words }));
  }
}

customElements.define("run-log", RunLog);
