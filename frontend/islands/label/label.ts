// The labeling loop. See README.md for what it promises.

import { Card, type Class } from "./card";
import { find, keysDialog, parkedDialog, skipDialog } from "./dialogs";
import { newId } from "./ids";
import { Layout, meaning } from "./keys";
import { Outbox, type Entry, type Shelf, type State } from "./outbox";
import { type Batch, type Progress, Server } from "./server";
import { DeviceShelf, MemoryShelf, type Past, type Task } from "./shelf";
import { fill } from "./words";

export interface Config {
  project: string;
  person: string;
  api: string; // /api/v1/projects/<slug>
  signIn: string;
  dataset: string; // name, "" for all
  classes: Class[];
  off: boolean;
  chosen: Record<string, string>;
  texts: Record<string, string>;
  reasons: string[];
}

/** An answer sooner than this after the item's first paint was meant for the one before. */
const TOO_QUICK = 150;
const AHEAD = 20;
const BEAT = 7_000;

export class LabelLoop extends HTMLElement {
  private config!: Config;
  private server!: Server;
  private outbox!: Outbox;
  private shelf!: Shelf & Partial<DeviceShelf>;
  private layout!: Layout;
  private card: Card | null = null;
  private next: Card | null = null;
  private ahead: Task[] = [];
  private pasts: Past[] = [];
  private drafts = new Map<string, string>();
  private progress: Progress = { items: 0, answered: 0, mine: 0 };
  private finished = new Set<string>(); // items answered on this page, so never offered again by a late batch
  private fetching = false;
  private skippedAgain = false;
  private hiddenFor = 0;
  private hiddenSince = 0;
  private scrolledAt = 0;
  private hushed = false; // news were looked at less than a second ago
  private unheard = false; // and more came since
  private beat: ReturnType<typeof setInterval> | undefined;
  private readonly stop = new AbortController();

  async connectedCallback(): Promise<void> {
    const c = (this.config = JSON.parse(this.dataset["config"] ?? "{}") as Config);
    const page = newId();
    const former = follow(page);
    this.server = new Server(c.api, page, former, c.person);
    this.layout = new Layout(safeStorage(), `label.layout.${c.person}`);
    let kept = true;
    try {
      this.shelf = await DeviceShelf.open();
    } catch {
      this.shelf = new MemoryShelf();
      kept = false;
    }
    this.outbox = new Outbox(this.shelf, c.person, page, former, (e) => this.server.send(e), (s) => this.saving(s, kept));
    this.listen();
    void this.adoptLayout();
    try {
      this.pasts = (await this.shelf.pasts?.(c.person, c.project)) ?? [];
    } catch {
      // Undo then begins with this page's answers.
    }
    await this.outbox.adopt();
    this.undoable();
    await this.refill();
    this.beat = setInterval(() => void this.heartbeat(), BEAT);
  }

  disconnectedCallback(): void {
    this.stop.abort();
    clearInterval(this.beat);
    this.server.release();
  }

  private el<T extends HTMLElement>(name: string): T {
    return this.querySelector<T>(`[data-part="${name}"]`)!;
  }

  private text(key: string, args: Record<string, string | number> = {}): string {
    return fill(this.config.texts[key] ?? key, args);
  }

  // ------------------------------------------------------------- listening

  private listen(): void {
    const on = { signal: this.stop.signal };
    this.addEventListener("keydown", (e) => this.keydown(e), on);
    this.addEventListener("click", (e) => this.clicked(e), on);
    window.addEventListener("online", () => this.outbox.nudge(), on);
    window.addEventListener("focus", () => this.outbox.nudge(), on);
    window.addEventListener("pagehide", () => {
      void this.outbox.release();
      this.server.release();
    }, on);
    window.addEventListener("pageshow", (e) => {
      if (e.persisted) void this.heartbeat();
    }, on);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.hiddenSince = performance.now();
      else if (this.hiddenSince) {
        this.hiddenFor += performance.now() - this.hiddenSince;
        this.hiddenSince = 0;
        void this.heartbeat();
      }
    }, on);
    document.addEventListener("adjudge:live", () => void this.news(), on);
    // The keyboard's layout is learned from every key, wherever it is typed.
    document.addEventListener("keydown", (e) => this.layout.learn(e) && this.recap(), { ...on, capture: true });
  }

  private async adoptLayout(): Promise<void> {
    const keyboard = (navigator as { keyboard?: { getLayoutMap(): Promise<Iterable<[string, string]>> } }).keyboard;
    try {
      if (keyboard && this.layout.adopt(await keyboard.getLayoutMap())) this.recap();
    } catch {
      // Not on plain http, nor everywhere: learned from typing instead.
    }
  }

  private recap(): void {
    this.card?.caps(this.layout, this.config.classes);
    this.next?.caps(this.layout, this.config.classes);
  }

  private keydown(e: KeyboardEvent): void {
    const target = e.target as HTMLElement;
    if (target.closest("dialog, input, textarea, select")) return;
    const act = meaning(e, this.config.off);
    if (!act) return;
    // Undo and help hold in the whole island; answers only inside the answer group.
    if (act.does === "undo" || act.does === "help") {
      e.preventDefault();
      e.stopPropagation();
      if (act.does === "undo") this.undo();
      else this.help();
      return;
    }
    if (!this.card || !this.card.group.contains(target)) return;
    switch (act.does) {
      case "answer": {
        const found = this.config.classes.find((c) => c.key === act.key);
        if (!found) return;
        this.answer(found.id, e.timeStamp);
        break;
      }
      case "submit":
        if (this.card.chosen) this.answer(this.card.chosen, e.timeStamp, !this.card.touched && this.card.chosen === this.card.task.suggestion);
        else this.say(this.text("choose"), true);
        break;
      case "space":
        if (e.repeat) break;
        if (this.readOn()) break;
        if (performance.now() - this.scrolledAt < 400) break;
        this.skip("", e.timeStamp);
        break;
      case "skip":
        this.askSkip();
        break;
      case "find":
        this.openFind();
        break;
      case "next":
      case "previous":
        this.card.move(act.does === "next" ? 1 : -1);
        this.keepDraft();
        break;
    }
    e.preventDefault();
    e.stopPropagation();
  }

  private clicked(e: MouseEvent): void {
    const target = e.target as HTMLElement;
    const radio = target.closest<HTMLElement>("[data-class]");
    if (radio && this.card?.group.contains(radio)) {
      this.answer(radio.dataset["class"]!, e.timeStamp);
      return;
    }
    switch (target.closest<HTMLElement>("[data-do]")?.dataset["do"]) {
      case "undo":
        return this.undo();
      case "skip":
        return this.askSkip();
      case "find":
        return this.openFind();
      case "keys":
        return this.openKeys();
      case "parked":
        return parkedDialog(this, this.outbox, (k, a) => this.text(k, a));
      case "again":
        this.skippedAgain = true;
        return void this.refill();
      case "retry":
        this.outbox.nudge();
        return void this.refill();
    }
    // A click beside the answers keeps the keys alive, unless text is being selected.
    if (this.card?.root.contains(target) && document.getSelection()?.isCollapsed) this.card.focus();
  }

  // ------------------------------------------------------------- answering

  private answer(chosen: string, at: number, untouched = false): void {
    const card = this.card;
    if (!card || this.tooQuick(card)) return;
    const found = this.config.classes.find((c) => c.id === chosen)!;
    const body: Record<string, unknown> = { class: chosen, seen_ms: this.seen(card) };
    if (card.task.suggestion) {
      body["suggestion"] = card.task.suggestion;
      body["score"] = card.task.score ?? 0;
      if (untouched) body["untouched"] = true;
    }
    this.record(card, "answer", chosen, found.name, body, at);
  }

  private skip(reason: string, at: number): void {
    const card = this.card;
    if (!card || this.tooQuick(card)) return;
    const body: Record<string, unknown> = { seen_ms: this.seen(card) };
    if (reason) body["reason"] = reason;
    this.record(card, "skip", "", "", body, at);
  }

  /** Keeps an answer, shows the next item and says so, in one go. */
  private record(card: Card, kind: "answer" | "skip", chosen: string, name: string, body: Record<string, unknown>, at: number): void {
    const begun = performance.now();
    const { task } = card;
    const entry: Entry = {
      id: newId(), person: this.config.person, project: this.config.project, kind, item: task.item, body,
      words: kind === "skip" ? this.text("skipped") : name, text: task.text.slice(0, 120), made: Date.now(), tries: 0,
    };
    const past: Past = { id: entry.id, person: entry.person, project: entry.project, made: entry.made, task, kind, class: chosen };
    this.pasts.push(past);
    this.finished.add(task.item);
    if (kind === "answer") {
      this.progress.answered = Math.min(this.progress.items, this.progress.answered + 1);
      this.progress.mine++;
    }
    const words = kind === "skip" ? this.text("status.skipped") : this.text("status.saved", { class: name });
    this.advance();
    this.drawProgress();
    this.undoable();
    performance.measure("label:work", { start: begun, end: performance.now() });
    requestAnimationFrame(() => afterPaint(() => performance.measure("label:paint", { start: at, end: performance.now() })));
    // Said once the answer is on this device's disk.
    void this.outbox.add(entry).then(() => this.say(`${words} ${this.counted()}`));
    if (this.shelf.remember) void this.shelf.remember(past).catch(() => undefined);
    if (this.drafts.delete(task.item)) void this.shelf.setDraft?.(this.config.person, task.item, "").catch(() => undefined);
  }

  private tooQuick(card: Card): boolean {
    if (card.painted > 0 && performance.now() - card.painted >= TOO_QUICK) return false;
    this.say(this.text("tooquick"), true);
    return true;
  }

  /** Milliseconds for which the item stood on a visible screen. */
  private seen(card: Card): number {
    return Math.max(0, Math.round(performance.now() - card.painted - this.hiddenFor));
  }

  // -------------------------------------------------------------- the card

  private draw(task: Task): Card {
    return new Card(task, this.config.classes, this.layout, "label-question",
      { suggestion: this.text("suggestion"), former: this.text("former") }, this.drafts.get(task.item) ?? "");
  }

  /** Swaps the next item in; the one after it is drawn when there is time. */
  private advance(): void {
    const next = this.next ?? (this.ahead.length > 0 ? this.draw(this.ahead.shift()!) : null);
    this.next = null;
    this.show(next);
    afterPaint(() => this.prepare());
  }

  private show(card: Card | null): void {
    const stage = this.el("stage");
    this.card?.root.remove();
    this.card = card;
    this.hiddenFor = 0;
    this.hiddenSince = document.hidden ? performance.now() : 0;
    this.el("idle").hidden = card !== null;
    this.el("answering").hidden = card === null;
    if (!card) {
      this.removeAttribute("data-item");
      this.idle();
      return;
    }
    card.root.hidden = false;
    if (!card.root.isConnected) stage.append(card.root);
    window.scrollTo({ top: 0, behavior: "instant" });
    card.focus();
    this.dataset["item"] = card.task.item;
    delete this.dataset["ready"];
    requestAnimationFrame(() => afterPaint(() => {
      if (card.painted === 0) card.painted = performance.now();
      setTimeout(() => {
        if (this.card === card) this.dataset["ready"] = ""; // for tests: answers are taken now
      }, TOO_QUICK);
    }));
  }

  /** Draws the next item ahead and sees that enough tasks are leased. */
  private prepare(): void {
    if (!this.card && this.ahead.length > 0) this.show(this.draw(this.ahead.shift()!));
    if (!this.next && this.ahead.length > 0) {
      this.next = this.draw(this.ahead.shift()!);
      this.next.root.hidden = true;
      this.el("stage").append(this.next.root);
    }
    if (this.ahead.length < AHEAD / 2) void this.refill();
  }

  private async refill(): Promise<void> {
    if (this.fetching) return;
    this.fetching = true;
    try {
      const asked = this.outbox.items();
      const batch = await this.server.lease(this.config.dataset, AHEAD, this.skippedAgain);
      await this.take(batch, asked);
      this.el("trouble").hidden = true;
      if (!this.card && this.ahead.length === 0) this.show(null);
      else this.prepareSoon(batch);
    } catch (e) {
      if (!this.card) {
        this.el("trouble").hidden = false;
        this.el("trouble-words").textContent = e instanceof Error && e.name === "Error" ? e.message : this.text("nonetwork");
        this.el("idle").hidden = true;
      }
      setTimeout(() => void this.refill(), 3000);
    } finally {
      this.fetching = false;
    }
  }

  private prepareSoon(batch: Batch): void {
    if (batch.tasks.length > 0 || this.ahead.length > 0) {
      if (!this.card) {
        const first = this.next ?? this.draw(this.ahead.shift()!);
        this.next = null;
        this.show(first);
      }
      afterPaint(() => {
        if (!this.next && this.ahead.length > 0) this.prepare();
      });
    }
  }

  /** Takes up a batch; asked are the items whose answers waited here when the
   * server was asked, for it did not know of them yet. */
  private async take(batch: Batch, asked: Set<string>): Promise<void> {
    this.setProgress(batch.progress);
    const here = new Set([this.card?.task.item, this.next?.task.item, ...this.ahead.map((t) => t.item)]);
    const waiting = new Set([...asked, ...this.outbox.items()]);
    for (const task of batch.tasks) {
      if (here.has(task.item) || waiting.has(task.item) || (this.finished.has(task.item) && !this.skippedAgain)) continue;
      try {
        const draft = await this.shelf.draft?.(this.config.person, task.item);
        if (draft) this.drafts.set(task.item, draft);
      } catch {
        // Drafts are a convenience.
      }
      this.ahead.push(task);
    }
  }

  /** Something changed in the project: others answered, or new items came. Looks at most once a second. */
  private async news(): Promise<void> {
    if (this.hushed) return void (this.unheard = true);
    this.hushed = true;
    setTimeout(() => {
      this.hushed = false;
      if (this.unheard) void this.news();
    }, 1000);
    this.unheard = false;
    try {
      this.setProgress(await this.server.progress(this.config.dataset));
      if (!this.card) await this.refill();
    } catch {
      // The heartbeat looks again.
    }
  }

  private async heartbeat(): Promise<void> {
    await this.outbox.adopt();
    if (document.hidden && this.hiddenSince && performance.now() - this.hiddenSince > 60_000) return; // a forgotten tab holds nothing
    try {
      const { held, progress } = await this.server.beat(this.config.dataset);
      if (this.outbox.items().size === 0) this.setProgress(progress);
      if (!held) {
        // The leases lapsed, so others may have been offered these items: keep
        // the one on the screen, its answer counts anyway, and ask anew.
        this.ahead = [];
        this.next?.root.remove();
        this.next = null;
        await this.refill();
      } else if (!this.card) await this.refill();
    } catch {
      // The outbox says that the network is away.
    }
  }

  // ------------------------------------------------------------------ undo

  /** Takes the last answer back and shows its item again; also across pages. */
  private undo(): void {
    const past = this.pasts.pop();
    if (!past) {
      this.say(this.text("nothing"), true);
      return;
    }
    const entry: Entry = {
      id: newId(), person: past.person, project: past.project, kind: "undo", item: past.task.item, target: past.id,
      words: this.text("undo"), text: past.task.text.slice(0, 120), made: Date.now(), tries: 0,
    };
    void this.outbox.add(entry);
    void this.shelf.forget?.(past.id).catch(() => undefined);
    this.finished.delete(past.task.item);
    if (past.kind === "answer") {
      this.progress.answered = Math.max(0, this.progress.answered - 1);
      this.progress.mine = Math.max(0, this.progress.mine - 1);
    }
    const back = [this.card?.task, this.next?.task].filter((t): t is Task => t !== undefined && t.item !== past.task.item);
    this.next?.root.remove();
    this.next = null;
    this.ahead = [...back, ...this.ahead.filter((t) => t.item !== past.task.item)];
    this.show(this.draw({ ...past.task, ...(past.class ? { former: past.class } : {}) }));
    this.drawProgress();
    this.undoable();
    const name = this.config.classes.find((c) => c.id === past.class)?.name;
    this.say(name ? this.text("status.undone", { class: name }) : this.text("status.unskipped"));
    afterPaint(() => this.prepare());
  }

  private undoable(): void {
    for (const button of this.querySelectorAll<HTMLButtonElement>('[data-do="undo"]')) button.disabled = this.pasts.length === 0;
    this.el("strip-undo").hidden = this.pasts.length === 0;
  }

  // --------------------------------------------------------- words and bars

  /** The one polite status line: also the strip with the last answer. */
  private say(words: string, warn = false): void {
    const line = this.el("status");
    line.textContent = words;
    line.toggleAttribute("data-warn", warn);
  }

  private counted(): string {
    return this.text("status.count", { n: this.progress.answered, of: this.progress.items });
  }

  private setProgress(p: Progress): void {
    const waiting = this.outbox.items().size;
    this.progress = { ...p, answered: Math.min(p.items, p.answered + waiting) };
    this.drawProgress();
  }

  private drawProgress(): void {
    const bar = this.el<HTMLProgressElement>("bar");
    bar.max = Math.max(1, this.progress.items);
    bar.value = this.progress.answered;
    this.el("count").textContent = this.text("count", { n: this.progress.answered, of: this.progress.items, mine: this.progress.mine });
  }

  private saving(s: State, kept: boolean): void {
    const line = this.el("saving");
    const time = s.saved ? new Date(s.saved).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : "";
    let words = this.text("saving.all");
    let mood = "saved";
    if (s.trouble === "login" && s.waiting > 0) (words = this.text("saving.login", { n: s.waiting })), (mood = "trouble");
    else if (s.trouble === "offline" && s.waiting > 0) (words = this.text(time ? "saving.offline" : "saving.offline.first", { n: s.waiting, time })), (mood = "trouble");
    else if (s.waiting > 0) (words = this.text(time ? "saving.waiting" : "saving.waiting.first", { n: s.waiting, time })), (mood = "waiting");
    if (!kept && s.waiting > 0) words += ` ${this.text("saving.unkept")}`;
    line.textContent = words;
    line.dataset["state"] = mood;
    const link = this.el<HTMLAnchorElement>("sign-in");
    link.hidden = !(s.trouble === "login" && s.waiting > 0);
    const parked = this.el("parked");
    parked.hidden = s.parked.length === 0;
    if (s.parked.length > 0) parked.textContent = this.text("saving.parked", { n: s.parked.length });
    // Only trouble is worth an interruption in the frame's line.
    const frame = document.getElementById("saving");
    if (frame) {
      frame.textContent = mood === "trouble" ? words : "";
      frame.dataset["state"] = mood === "saved" ? "saved" : "waiting";
    }
  }

  private idle(): void {
    const idle = this.el("idle");
    idle.hidden = false;
    this.el("again").hidden = !this.pasts.some((p) => p.kind === "skip") && this.skippedAgain;
    idle.querySelector<HTMLElement>("[tabindex]")?.focus();
  }

  // ---------------------------------------------------------------- helpers

  /** Scrolls on while there is more to read; false when all was shown. */
  private readOn(): boolean {
    const card = this.card!;
    const box = card.text;
    const foot = this.el("foot").getBoundingClientRect().top;
    const inner = box.scrollHeight - box.clientHeight - box.scrollTop > 2;
    const outer = box.getBoundingClientRect().bottom > Math.min(foot, window.innerHeight) + 2;
    if (!inner && !outer) return false;
    this.scrolledAt = performance.now();
    if (inner) box.scrollBy({ top: box.clientHeight * 0.85 });
    else window.scrollBy({ top: window.innerHeight * 0.7 });
    return true;
  }

  private keepDraft(): void {
    const card = this.card!;
    this.drafts.set(card.task.item, card.chosen);
    void this.shelf.setDraft?.(this.config.person, card.task.item, card.chosen).catch(() => undefined);
  }

  private askSkip(): void {
    if (!this.card) return;
    skipDialog(this, this.config.reasons, (reason) => this.skip(reason, performance.now()), () => this.card?.focus());
  }

  private openFind(): void {
    if (!this.card) return;
    find(this, this.config.classes, (id) => {
      this.card?.focus();
      this.answer(id, performance.now());
    }, () => this.card?.focus());
  }

  private openKeys(): void {
    keysDialog(this, this.config, this.layout, (k, a) => this.text(k, a), async (off, chosen) => {
      const { keys } = await this.server.saveKeys(off, chosen);
      this.config.off = off;
      this.config.chosen = chosen;
      for (const c of this.config.classes) c.key = keys[c.id] ?? "";
      this.recap();
      this.toggleAttribute("data-keys-off", off);
    }, () => this.card?.focus());
  }

  private help(): void {
    const dialog = document.getElementById("keys-help");
    if (dialog instanceof HTMLDialogElement && !dialog.open) {
      dialog.addEventListener("close", () => this.card?.focus(), { once: true });
      dialog.showModal();
    }
  }
}

/** Runs after the frame that is being made was painted. */
function afterPaint(f: () => void): void {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    f();
  };
  channel.port2.postMessage(null);
}

/** Notes that this page stands in the tab now, and returns which did before. */
function follow(page: string): string {
  try {
    const former = sessionStorage.getItem("label.page") ?? "";
    sessionStorage.setItem("label.page", page);
    return former;
  } catch {
    return "";
  }
}

function safeStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

if (!customElements.get("label-loop")) customElements.define("label-loop", LabelLoop);
