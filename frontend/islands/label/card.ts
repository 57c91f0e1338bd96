// The card: one item and its answers, drawn ahead of time and swapped in whole.

import { show } from "../shell/unseen";
import { explain, FAULT } from "../shell/media";
import type { Layout } from "./keys";
import type { Task } from "./shelf";

export interface Class {
  id: string;
  name: string;
  color: number;
  key: string; // the key that answers with it, "" for none
}

export interface CardTexts {
  suggestion: string; // beside the score
  former: string; // "your earlier answer"
  pass: string; // pass it on
  alt: string; // what the object is called
}

export class Card {
  readonly root = document.createElement("section");
  readonly text = document.createElement("div");
  readonly group = document.createElement("div");
  readonly radios: HTMLElement[] = [];
  /** When the item was first painted, 0 before. */
  painted = 0;
  /** The class that is chosen, "" for none. */
  chosen = "";
  /** Whether a person moved the choice since the item was shown. */
  touched = false;

  constructor(
    readonly task: Task,
    private readonly classes: Class[],
    layout: Layout,
    question: string,
    texts: CardTexts,
    draft: string,
    address: string, // of the object, where there is one
  ) {
    const id = `item-${task.item}`;
    this.root.className = "label-card";
    this.text.id = id;
    this.text.className = "label-text item-text";
    this.text.dir = "auto";
    show(this.text, task.text);
    this.group.className = "label-answers";
    this.group.setAttribute("role", "radiogroup");
    this.group.setAttribute("aria-labelledby", `${question} ${id}`);
    const preset = [draft, task.former, task.suggestion].find((c) => c && classes.some((k) => k.id === c)) ?? "";
    this.touched = preset !== "" && preset !== task.suggestion;
    for (const c of classes) {
      // No button: Space and Enter must not click, they have meanings of their own.
      const radio = document.createElement("div");
      radio.className = `label-answer palette-${c.color}`;
      radio.setAttribute("role", "radio");
      radio.dataset["class"] = c.id;
      const cap = document.createElement("kbd");
      cap.textContent = c.key ? layout.cap(c.key) : "";
      cap.setAttribute("aria-hidden", "true");
      if (c.key) radio.setAttribute("aria-keyshortcuts", layout.cap(c.key));
      const name = document.createElement("bdi");
      name.className = "name";
      show(name, c.name);
      radio.append(cap, name);
      if (c.id === task.suggestion) {
        radio.classList.add("suggested");
        radio.append(note("score", task.score === undefined ? texts.suggestion : `${texts.suggestion} ${percent(task.score)}`));
      } else if (c.id === task.former) {
        radio.classList.add("former");
        radio.append(note("score", texts.former));
      }
      this.radios.push(radio);
      this.group.append(radio);
    }
    this.root.append(this.text, this.group);
    this.choose(preset);
    if (task.media) this.object(task.media, address, texts);
  }

  /** Shows the object above the text, or why not. */
  private object(media: NonNullable<Task["media"]>, address: string, texts: CardTexts): void {
    const ground = document.createElement("div");
    ground.className = "mediaground";
    this.root.prepend(ground);
    this.text.hidden = this.task.text === "";
    const shown = document.createElement(media.kind === "audio" || media.kind === "video" ? media.kind : "img");
    shown.className = "media";
    shown.dataset["media"] = "";
    if (shown instanceof HTMLMediaElement) {
      shown.controls = true;
      shown.setAttribute("aria-label", texts.alt);
    } else (shown as HTMLImageElement).alt = texts.alt;
    this.root.addEventListener(FAULT, () => this.fault(texts.pass));
    ground.append(shown);
    if (media.fault) {
      this.fault(texts.pass);
      void explain(shown, address, media.fault.message);
    } else shown.setAttribute("src", address);
  }

  /** Whether the object is not shown, so that there is nothing to judge. */
  faulty = false;

  /** Takes the answers away: all that is left is to pass the item on. */
  private fault(pass: string): void {
    if (this.faulty) return;
    this.faulty = true;
    const focused = this.group.contains(document.activeElement);
    this.radios.length = 0;
    this.chosen = "";
    this.root.dataset["faulty"] = "";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button primary";
    button.dataset["do"] = "skip";
    button.textContent = pass;
    this.group.setAttribute("role", "group");
    this.group.replaceChildren(button);
    this.radios.push(button);
    if (focused) this.focus();
  }

  /** Chooses a class without submitting. */
  choose(id: string): void {
    if (this.faulty) return;
    this.chosen = id;
    const at = this.classes.findIndex((c) => c.id === id);
    this.radios.forEach((radio, i) => {
      radio.setAttribute("aria-checked", String(i === at));
      radio.tabIndex = i === Math.max(0, at) ? 0 : -1;
    });
  }

  /** Moves the choice by an arrow key, around the ends. */
  move(by: number): void {
    const n = this.classes.length;
    const at = this.classes.findIndex((c) => c.id === this.chosen);
    const next = at < 0 ? (by > 0 ? 0 : n - 1) : (at + by + n) % n;
    this.touched = true;
    this.choose(this.classes[next]!.id);
    this.focus();
  }

  /** Puts the focus into the answer group. */
  focus(): void {
    this.radios.find((r) => r.tabIndex === 0)?.focus({ preventScroll: true });
  }

  /** Prints the keys again, after the person's layout or keys changed. */
  caps(layout: Layout, classes: Class[]): void {
    if (this.faulty) return;
    classes.forEach((c, i) => {
      this.radios[i]!.querySelector("kbd")!.textContent = c.key ? layout.cap(c.key) : "";
    });
  }
}

function note(className: string, words: string): HTMLElement {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = words;
  return span;
}

function percent(score: number): string {
  return `${Math.round(score * 100)}\u202f%`;
}
