// The labeling loop. See README.md for what it promises.

import { newId } from "../outbox/ids";
import { pageOutbox, type PageOutbox } from "../outbox/outbox";
import type { Entry } from "../outbox/queue";
import { fill } from "../outbox/words";
import { Ahead } from "./ahead";
import { Card, type Class } from "./card";
import { Cover } from "./cover";
import { find, keysDialog, skipDialog } from "./dialogs";
import { Drafts } from "./drafts";
import { Layout, meaning, type Action } from "./keys";
import { Peek } from "./peek";
import { Rest } from "./rest";
import { Server } from "./server";
import { Shelf, type Past, type Task } from "./shelf";
import { afterPaint, Stage } from "./stage";
import { Tally } from "./tally";
import { Trail } from "./trail";

export interface Config {
  project: string;
  person: string;
  api: string; // /api/v1/projects/<slug>
  peek: string;
  items: string; // address of the list of items; each is below it
  dataset: string; // name, "" for all
  classes: Class[];
  off: boolean;
  untimed: boolean; // how long an item was seen is nobody's business
  chosen: Record<string, string>;
  texts: Record<string, string>;
  reasons: string[];
}

const AHEAD = 20;
const BEAT = 7_000;

export class LabelLoop extends HTMLElement {
  private config!: Config;
  private server!: Server;
  private here!: PageOutbox;
  private shelf!: Shelf;
  private layout!: Layout;
  private stage!: Stage;
  private tally!: Tally;
  private drafts!: Drafts;
  private cover!: Cover;
  private peek!: Peek;
  private readonly ahead = new Ahead();
  private readonly trail = new Trail();
  private readonly rest = new Rest();
  private fetching = false;
  private skippedAgain = false;
  private scrolledAt = 0;
  private hushed = false; // news were looked at less than a second ago
  private unheard = false; // and more came since
  private beat: ReturnType<typeof setInterval> | undefined;
  private readonly stop = new AbortController();

  async connectedCallback(): Promise<void> {
    const c = (this.config = JSON.parse(this.dataset["config"] ?? "{}") as Config);
    const signal = this.stop.signal;
    this.here = await pageOutbox;
    this.server = new Server(c.api, this.here.page, this.here.former, c.person);
    this.shelf = new Shelf(this.here.db);
    this.layout = new Layout(safeStorage(), `label.layout.${c.person}`);
    this.stage = new Stage(this, this.el("stage"), (card) => this.shown(card), signal);
    this.tally = new Tally(this.el("bar"), this.el("count"), (k, a) => this.text(k, a));
    this.drafts = new Drafts(c.person, { device: this.shelf, server: (item, d, last) => this.server.saveDraft(item, d, last) });
    this.cover = new Cover(this.el("cover"), (covered) => this.uncovered(covered), signal);
    this.peek = new Peek(this.el("peek"), this.el("peek-body"), this.el("peek-open"), c.peek, this.text("peek.trouble"));
    this.listen();
    void this.adoptLayout();
    try {
      this.trail.begin(await this.shelf.pasts(c.person, c.project));
    } catch {
      // Undo then begins with this page's answers.
    }
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
    const point = (e: Event): void => {
      const radio = (e.target as HTMLElement).closest<HTMLElement>("[data-class]");
      if (radio && this.peek.open) this.peek.point(radio.dataset["class"]!);
    };
    this.addEventListener("pointerover", point, on);
    this.addEventListener("focusin", point, on);
    window.addEventListener("pagehide", () => {
      this.drafts.flush(true);
      this.server.release();
    }, on);
    window.addEventListener("pageshow", (e) => {
      if (e.persisted) void this.heartbeat();
    }, on);
    document.addEventListener("visibilitychange", () => {
      this.stage.visibility();
      if (!document.hidden) void this.heartbeat();
    }, on);
    document.addEventListener("adjudge:live", () => void this.news(), on);
    // The drawer may have asked before the answer had arrived.
    document.addEventListener("adjudge:saved", () => this.peek.answered(this.trail.last?.task.item ?? ""), on);
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
    this.stage.card?.caps(this.layout, this.config.classes);
    this.stage.next?.caps(this.layout, this.config.classes);
  }

  private keydown(e: KeyboardEvent): void {
    const target = e.target as HTMLElement;
    if (target.closest("dialog, input, textarea, select")) return;
    const act = meaning(e, this.config.off);
    if (!act) return;
    if (this.anywhere(act) || (this.stage.card?.group.contains(target) && this.inGroup(act, e))) {
      e.preventDefault();
      e.stopPropagation();
    }
  }

  /** What holds in the whole island. */
  private anywhere(act: Action): boolean {
    switch (act.does) {
      case "undo":
        this.undo();
        return true;
      case "redo":
        this.redo();
        return true;
      case "help":
        this.help();
        return true;
      case "cover":
        this.cover.show();
        return true;
      case "peek":
        this.look();
        return true;
    }
    return false;
  }

  /** What holds inside the answer group alone. */
  private inGroup(act: Action, e: KeyboardEvent): boolean {
    const card = this.stage.card!;
    switch (act.does) {
      case "answer": {
        const found = this.config.classes.find((c) => c.key === act.key);
        if (!found) return false;
        this.answer(found.id, e.timeStamp);
        break;
      }
      case "submit":
        if (card.faulty) this.skip(this.text("media.reason"), e.timeStamp);
        else if (card.chosen) this.answer(card.chosen, e.timeStamp, !card.touched && card.chosen === card.task.suggestion);
        else this.say(this.text("choose"), true);
        break;
      case "space":
        if (e.repeat) break;
        if (this.stage.readOn(this.el("foot"))) this.scrolledAt = performance.now();
        else if (performance.now() - this.scrolledAt >= 400) this.skip("", e.timeStamp);
        break;
      case "skip":
        this.askSkip();
        break;
      case "find":
        this.openFind();
        break;
      case "next":
      case "previous":
        if (card.faulty) break;
        card.move(act.does === "next" ? 1 : -1);
        this.drafts.set(card.task.item, { class: card.chosen });
        break;
    }
    return true;
  }

  private clicked(e: MouseEvent): void {
    const target = e.target as HTMLElement;
    const card = this.stage.card;
    const radio = target.closest<HTMLElement>("[data-class]");
    if (radio && card?.group.contains(radio)) {
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
      case "peek":
        return this.look();
      case "cover":
        return this.cover.show();
      case "uncover":
        return this.cover.lift();
      case "rest":
        this.rest.rested();
        this.el("rest").hidden = true;
        return this.cover.show();
      case "later":
        this.el("rest").hidden = true;
        return card?.focus();
      case "again":
        this.skippedAgain = true;
        return void this.refill();
      case "retry":
        this.here.outbox.nudge();
        return void this.refill();
    }
    // A click beside the answers keeps the keys alive, unless text is being selected.
    if (card?.root.contains(target) && document.getSelection()?.isCollapsed) card.focus();
  }

  // ------------------------------------------------------------- answering

  private answer(chosen: string, at: number, untouched = false): void {
    const card = this.stage.card;
    if (card?.faulty) return this.say(this.text("media.faulty"), true);
    if (!card || this.tooQuick()) return;
    const body: Record<string, unknown> = { class: chosen, ...this.timed() };
    if (card.task.suggestion) {
      body["suggestion"] = card.task.suggestion;
      if (card.task.score !== undefined) body["score"] = card.task.score;
      if (untouched) body["untouched"] = true;
    }
    this.record(card.task, "answer", chosen, body, at);
  }

  /** How long the item was seen, unless the person keeps that to themselves. */
  private timed(): Record<string, unknown> {
    return this.config.untimed ? {} : { seen_ms: this.stage.seen() };
  }

  private skip(reason: string, at: number): void {
    const card = this.stage.card;
    if (!card || this.tooQuick()) return;
    const body: Record<string, unknown> = this.timed();
    if (reason) body["reason"] = reason;
    this.record(card.task, "skip", "", body, at);
  }

  /** Keeps an answer and shows the next item, in one go; what can wait waits for the paint. */
  private record(task: Task, kind: "answer" | "skip", chosen: string, body: Record<string, unknown>, at: number): void {
    const begun = performance.now();
    const name = this.config.classes.find((c) => c.id === chosen)?.name ?? "";
    const entry: Entry = {
      id: newId(), person: this.config.person, project: this.config.project, page: this.here.page, kind, item: task.item, body,
      words: kind === "skip" ? this.text("skipped") : name, text: task.text.slice(0, 120), made: Date.now(), tries: 0,
    };
    const past: Past = { id: entry.id, person: entry.person, project: entry.project, made: entry.made, task, kind, class: chosen, body };
    this.trail.add(past);
    this.ahead.finish(task.item);
    const words = kind === "skip" ? this.text("status.skipped") : this.text("status.saved", { class: name });
    if (kind === "answer") this.tally.count(1);
    this.undoable();
    // Said once the answer is on this device's disk.
    void this.here.outbox.add(entry).then(() => this.say(`${words} ${this.tally.said()}`));
    this.stage.show(this.stage.next ?? this.draw(this.ahead.next()));
    performance.measure("label:work", { start: begun, end: performance.now() });
    requestAnimationFrame(() => afterPaint(() => {
      performance.measure("label:paint", { start: at, end: performance.now() });
      this.afterwards(past, begun);
    }));
  }

  /** What follows an answer and nobody waits for. */
  private afterwards(past: Past, at: number): void {
    void this.shelf.remember(past).catch(() => undefined);
    this.drafts.forget(past.task.item);
    this.peek.answered(past.task.item);
    this.prepare();
    if (this.rest.answered(at)) this.el("rest").hidden = false;
  }

  private tooQuick(): boolean {
    if (!this.stage.tooQuick()) return false;
    this.say(this.text("tooquick"), true);
    return true;
  }

  // ------------------------------------------------------------- the cards

  private draw(task: Task): Card;
  private draw(task: Task | undefined): Card | null;
  private draw(task: Task | undefined): Card | null {
    if (!task) return null;
    return new Card(task, this.config.classes, this.layout, "label-question",
      { suggestion: this.text("suggestion"), former: this.text("former"), pass: this.text("media.pass"), alt: this.alt(task) },
      this.drafts.of(task.item).class ?? "", `${this.config.items}/${task.item}/media`);
  }

  /** What the object of an item is called: not by its key, which may say what it is. */
  private alt(task: Task): string {
    return task.media ? this.text("media.alt", { kind: this.text(`media.${task.media.kind}`), item: task.item.slice(-6) }) : "";
  }

  private shown(card: Card | null): void {
    this.el("answering").hidden = card === null;
    const idle = this.el("idle");
    idle.hidden = card !== null;
    if (card) return;
    this.el("again").hidden = !this.trail.skipped && this.skippedAgain;
    idle.querySelector<HTMLElement>("[tabindex]")?.focus();
  }

  /** Draws the next item ahead and sees that enough tasks are leased. */
  private prepare(): void {
    if (!this.stage.card && this.ahead.length > 0) this.stage.show(this.draw(this.ahead.next()));
    if (!this.stage.next && this.ahead.length > 0) this.stage.prepare(this.draw(this.ahead.next())!);
    if (this.ahead.length < AHEAD / 2) void this.refill();
  }

  // --------------------------------------------------------------- leasing

  private async refill(): Promise<void> {
    if (this.fetching) return;
    this.fetching = true;
    try {
      const asked = this.here.outbox.items();
      const batch = await this.server.lease(this.config.dataset, AHEAD, this.skippedAgain);
      const kept = await this.shelf.drafts(this.config.person).catch(() => new Map<string, never>());
      const waiting = this.here.outbox.items();
      this.tally.set(batch.progress, waiting.size);
      for (const task of batch.tasks) this.drafts.adopt(task.item, kept.get(task.item), task.draft);
      this.ahead.take(batch, this.stage.items(), new Set([...asked, ...waiting]), this.skippedAgain);
      this.el("trouble").hidden = true;
      if (!this.stage.card) this.stage.show(this.stage.next ?? this.draw(this.ahead.next()));
      afterPaint(() => {
        if (this.stage.card && !this.stage.next && this.ahead.length > 0) this.stage.prepare(this.draw(this.ahead.next())!);
      });
    } catch (e) {
      if (!this.stage.card) {
        this.el("trouble").hidden = false;
        this.el("trouble-words").textContent = e instanceof Error && e.name === "Error" ? e.message : this.text("nonetwork");
        this.el("idle").hidden = true;
      }
      setTimeout(() => void this.refill(), 3000);
    } finally {
      this.fetching = false;
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
      const progress = await this.server.progress(this.config.dataset);
      this.tally.set(progress, this.here.outbox.items().size);
      if (!this.stage.card) await this.refill();
    } catch {
      // The heartbeat looks again.
    }
  }

  private async heartbeat(): Promise<void> {
    if (this.stage.hidden() > 60_000) return; // a forgotten tab holds nothing
    try {
      const { held, progress } = await this.server.beat(this.config.dataset);
      if (this.here.outbox.items().size === 0) this.tally.set(progress, 0);
      if (!held) {
        // The leases lapsed, so others may have been offered these items: keep
        // the one on the screen, its answer counts anyway, and ask anew.
        this.ahead.drop();
        this.stage.unprepare();
        await this.refill();
      } else if (!this.stage.card) await this.refill();
    } catch {
      // The outbox says that the network is away.
    }
  }

  // --------------------------------------------------------- undo and redo

  /** Takes the last answer back and shows its item again; also across pages. */
  private undo(): void {
    const past = this.trail.undo();
    if (!past) return this.say(this.text("nothing"), true);
    void this.here.outbox.add({
      id: newId(), person: past.person, project: past.project, page: this.here.page, kind: "undo", item: past.task.item, target: past.id,
      words: this.text("undo"), text: past.task.text.slice(0, 120), made: Date.now(), tries: 0,
    });
    void this.shelf.forget(past.id).catch(() => undefined);
    this.ahead.reopen(past.task.item);
    if (past.kind === "answer") this.tally.count(-1);
    this.ahead.back([this.stage.card, this.stage.next].flatMap((c) => (c ? [c.task] : [])), past.task.item);
    this.stage.unprepare();
    this.stage.show(this.draw({ ...past.task, ...(past.class ? { former: past.class } : {}) }));
    this.undoable();
    this.peek.answered(this.trail.last?.task.item ?? "");
    const name = this.config.classes.find((c) => c.id === past.class)?.name;
    this.say(name ? this.text("status.undone", { class: name }) : this.text("status.unskipped"));
    afterPaint(() => this.prepare());
  }

  /** Says again what was taken back last, as long as its item is the one on the screen. */
  private redo(): void {
    const past = this.trail.next;
    if (!past || past.task.item !== this.stage.card?.task.item) return this.say(this.text("nothingagain"), true);
    this.record(past.task, past.kind, past.class, past.body ?? { class: past.class }, performance.now());
  }

  private undoable(): void {
    const none = this.trail.last === undefined;
    for (const button of this.querySelectorAll<HTMLButtonElement>('[data-do="undo"]')) button.disabled = none;
    this.el("strip-undo").hidden = none;
  }

  // ---------------------------------------------------------------- helpers

  /** The one polite status line: also the strip with the last answer. */
  private say(words: string, warn = false): void {
    const line = this.el("status");
    line.textContent = words;
    line.toggleAttribute("data-warn", warn);
  }

  private look(): void {
    this.peek.toggle();
    if (!this.peek.open) return;
    this.peek.answered(this.trail.last?.task.item ?? "");
    const card = this.stage.card;
    if (card?.chosen) this.peek.point(card.chosen);
    card?.focus();
  }

  private uncovered(covered: number): void {
    this.stage.unseen(covered);
    this.stage.restart();
    this.stage.card?.focus();
  }

  private askSkip(): void {
    const item = this.stage.card?.task.item;
    if (!item) return;
    skipDialog(this, this.config.reasons, this.drafts.of(item).reason ?? "", (reason) => this.drafts.set(item, { reason }),
      (reason) => this.skip(reason, performance.now()), () => this.stage.card?.focus());
  }

  private openFind(): void {
    const item = this.stage.card?.task.item;
    if (!item) return;
    find(this, this.config.classes, this.drafts.of(item).typed ?? "", (typed) => this.drafts.set(item, { typed }), (id) => {
      this.stage.card?.focus();
      this.answer(id, performance.now());
    }, () => this.stage.card?.focus());
  }

  private openKeys(): void {
    keysDialog(this, this.config, this.layout, (k, a) => this.text(k, a), async (off, chosen) => {
      const { keys } = await this.server.saveKeys(off, chosen);
      this.config.off = off;
      this.config.chosen = chosen;
      for (const c of this.config.classes) c.key = keys[c.id] ?? "";
      this.recap();
      this.toggleAttribute("data-keys-off", off);
    }, () => this.stage.card?.focus());
  }

  private help(): void {
    const dialog = document.getElementById("keys-help");
    if (dialog instanceof HTMLDialogElement && !dialog.open) {
      dialog.addEventListener("close", () => this.stage.card?.focus(), { once: true });
      dialog.showModal();
    }
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
