import assert from "node:assert/strict";
import { test } from "node:test";
import { matches } from "./dialogs";
import { Layout, meaning, type Press } from "./keys";
import { Ahead } from "./ahead";
import { Drafts, type Draft } from "./drafts";
import { PAUSE, Rest, WORK } from "./rest";
import type { Past, Task } from "./shelf";
import { Trail } from "./trail";

// ------------------------------------------------------------------- keys

const presses: [string, Press, string][] = [
  ["a digit of the top row", { key: "1", code: "Digit1" }, "answer 1"],
  ["the same key on AZERTY, which prints &", { key: "&", code: "Digit1" }, "answer 1"],
  ["AZERTY's é is the second", { key: "é", code: "Digit2" }, "answer 2"],
  ["a digit of the number pad", { key: "7", code: "Numpad7" }, "answer 7"],
  ["the number pad without NumLock", { key: "Home", code: "Numpad7" }, "nothing"],
  ["a letter goes by what is printed: AZERTY's A stands where Q is", { key: "a", code: "KeyQ" }, "answer a"],
  ["capitals by CapsLock", { key: "A", code: "KeyA" }, "answer a"],
  ["Cyrillic Ф stands where A is", { key: "ф", code: "KeyA" }, "answer a"],
  ["Greek Σ stands where S is", { key: "σ", code: "KeyS" }, "answer s"],
  ["a letter with Shift", { key: "A", code: "KeyA", shiftKey: true }, "nothing"],
  ["a Latin letter with an accent is no class key", { key: "é", code: "KeyE" }, "nothing"],
  ["a sign where a letter is (Dvorak)", { key: ";", code: "KeyZ" }, "nothing"],
  ["a repeated key", { key: "1", code: "Digit1", repeat: true }, "nothing"],
  ["a repeated Enter", { key: "Enter", code: "Enter", repeat: true }, "nothing"],
  ["Enter", { key: "Enter", code: "Enter" }, "submit"],
  ["an input method's Enter", { key: "Enter", code: "Enter", isComposing: true }, "nothing"],
  ["an input method's key as old browsers say it", { key: "Process", code: "KeyA", keyCode: 229 }, "nothing"],
  ["keyCode 229 with a plain key", { key: "a", code: "KeyA", keyCode: 229 }, "nothing"],
  ["a dead key", { key: "Dead", code: "BracketLeft" }, "nothing"],
  ["Space", { key: " ", code: "Space" }, "space"],
  ["Shift+Space", { key: " ", code: "Space", shiftKey: true }, "skip"],
  ["Ctrl+Z", { key: "z", code: "KeyZ", ctrlKey: true }, "undo"],
  ["⌘Z", { key: "z", code: "KeyZ", metaKey: true }, "undo"],
  ["Ctrl+Z on QWERTZ, where Z stands at Y", { key: "z", code: "KeyY", ctrlKey: true }, "undo"],
  ["Ctrl+Y on QWERTZ, which stands at Z", { key: "y", code: "KeyZ", ctrlKey: true }, "nothing"],
  ["Ctrl+Я, where Z is", { key: "я", code: "KeyZ", ctrlKey: true }, "undo"],
  ["Ctrl+Shift+Z", { key: "Z", code: "KeyZ", ctrlKey: true, shiftKey: true }, "redo"],
  ["⌘⇧Z", { key: "z", code: "KeyZ", metaKey: true, shiftKey: true }, "redo"],
  ["the key that covers", { key: "0", code: "Digit0" }, "cover"],
  ["AZERTY's à covers as well", { key: "à", code: "Digit0" }, "cover"],
  ["the number pad's Insert does not", { key: "Insert", code: "Numpad0" }, "nothing"],
  [". looks up", { key: ".", code: "Period" }, "peek"],
  ["Ctrl+A is the browser's", { key: "a", code: "KeyA", ctrlKey: true }, "nothing"],
  ["AltGr is Ctrl+Alt", { key: "@", code: "KeyQ", ctrlKey: true, altKey: true }, "nothing"],
  ["Alt+1", { key: "1", code: "Digit1", altKey: true }, "nothing"],
  ["down", { key: "ArrowDown", code: "ArrowDown" }, "next"],
  ["left", { key: "ArrowLeft", code: "ArrowLeft" }, "previous"],
  ["?", { key: "?", code: "Slash", shiftKey: true }, "help"],
  ["? on AZERTY", { key: "?", code: "KeyM", shiftKey: true }, "help"],
  ["/", { key: "/", code: "Slash" }, "find"],
  ["/ on QWERTZ is Shift+7", { key: "/", code: "Digit7", shiftKey: true }, "find"],
];

function said(p: Press, off = false): string {
  const act = meaning(p, off);
  if (!act) return "nothing";
  return act.does === "answer" ? `answer ${act.key}` : act.does;
}

for (const [name, press, want] of presses) test(`key: ${name}`, () => assert.equal(said(press), want));

test("keys that are turned off leave arrows, Enter, Space and undo", () => {
  assert.equal(said({ key: "1", code: "Digit1" }, true), "nothing");
  assert.equal(said({ key: "a", code: "KeyA" }, true), "nothing");
  assert.equal(said({ key: "/", code: "Slash" }, true), "nothing");
  assert.equal(said({ key: "0", code: "Digit0" }, true), "nothing");
  assert.equal(said({ key: ".", code: "Period" }, true), "nothing");
  assert.equal(said({ key: "Enter", code: "Enter" }, true), "submit");
  assert.equal(said({ key: "z", code: "KeyZ", ctrlKey: true }, true), "undo");
  assert.equal(said({ key: "ArrowUp", code: "ArrowUp" }, true), "previous");
});

test("a layout is learned from what is typed and kept", () => {
  const kept = new Map<string, string>();
  const store = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) };
  const layout = new Layout(store);
  assert.equal(layout.cap("a"), "A");
  assert.equal(layout.learn({ key: "ф", code: "KeyA" }), true);
  assert.equal(layout.learn({ key: "ф", code: "KeyA" }), false);
  assert.equal(layout.cap("a"), "Ф");
  assert.equal(layout.cap("1"), "1");
  assert.equal(new Layout(store).cap("a"), "Ф");
  const azerty = new Layout();
  azerty.adopt([["KeyQ", "a"], ["KeyA", "q"], ["Digit1", "&"]]);
  assert.equal(azerty.cap("a"), "A", "a Latin letter is printed as it is, wherever it stands");
});

// ------------------------------------------------------------------- find

test("typing finds classes, at the beginning of words first, without accents", () => {
  const classes = ["card arrival", "lost card", "Zürich", "discard"].map((name, i) => ({ id: String(i), name, color: 0, key: "" }));
  assert.deepEqual(matches(classes, "card").map((c) => c.id), ["0", "1", "3"]);
  assert.deepEqual(matches(classes, "zur").map((c) => c.id), ["2"]);
  assert.deepEqual(matches(classes, "").length, 4);
  assert.deepEqual(matches(classes, "x"), []);
});

// -------------------------------------------------------------- undo, redo

function past(item: string, chosen: string, kind: "answer" | "skip" = "answer"): Past {
  return { id: `${item}-${chosen}`, person: "p", project: "x", made: 0, task: { item, dataset: "d", text: item }, kind, class: chosen };
}

test("redo goes forward over what undo walked back", () => {
  const t = new Trail();
  t.begin([past("earlier", "x")]);
  t.add(past("a", "1"));
  t.add(past("b", "2"));
  assert.equal(t.undo()?.task.item, "b");
  assert.equal(t.undo()?.task.item, "a");
  assert.equal(t.next?.class, "1");
  t.add(past("a", "1")); // as redo does
  assert.equal(t.next?.class, "2");
  t.add(past("b", "2"));
  assert.equal(t.next, undefined);
  assert.deepEqual([t.undo(), t.undo(), t.undo(), t.undo()].map((p) => p?.task.item), ["b", "a", "earlier", undefined]);
});

test("another answer ends what could be done again", () => {
  const t = new Trail();
  t.add(past("a", "1"));
  t.undo();
  t.add(past("a", "2"));
  assert.equal(t.next, undefined);
});

// ------------------------------------------------------------------- rest

test("a break is offered after 50 minutes, and again 50 minutes later", () => {
  const r = new Rest();
  const start = 1_000;
  let offers = 0;
  for (let at = start; at <= start + 2 * WORK; at += 60_000) if (r.answered(at)) offers++;
  assert.equal(offers, 2);
});

test("a pause of five minutes is a break", () => {
  const r = new Rest();
  for (let at = 1; at < WORK; at += 60_000) assert.equal(r.answered(at), false);
  assert.equal(r.answered(WORK + PAUSE), false);
  assert.equal(r.answered(WORK + PAUSE + 60_000), false);
});

test("a break that was taken counts from its end", () => {
  const r = new Rest();
  for (let at = 1; at < WORK; at += 60_000) r.answered(at);
  r.rested();
  assert.equal(r.answered(WORK + 60_000), false);
});

// ------------------------------------------------------------------ ahead

const task = (item: string): Task => ({ item, dataset: "d", text: item });
const batch = (...items: string[]) => ({ tasks: items.map(task), progress: { items: 0, answered: 0, mine: 0 } });

test("a batch brings nothing that is here, waits, or was answered", () => {
  const a = new Ahead();
  a.take(batch("1", "2"), new Set(), new Set(), false);
  a.finish("3");
  a.take(batch("1", "3", "4", "5", "6"), new Set(["4"]), new Set(["5"]), false);
  assert.deepEqual([a.next()?.item, a.next()?.item, a.next()?.item, a.next()], ["1", "2", "6", undefined]);
});

test("what was skipped comes again when it is asked for", () => {
  const a = new Ahead();
  a.finish("1");
  a.take(batch("1"), new Set(), new Set(), true);
  assert.equal(a.next()?.item, "1");
});

test("undo puts what was shown in front again, without its own item", () => {
  const a = new Ahead();
  a.take(batch("3", "1"), new Set(), new Set(), false);
  a.back([task("2")], "1");
  assert.deepEqual([a.next()?.item, a.next()?.item, a.next()], ["2", "3", undefined]);
});

// ----------------------------------------------------------------- drafts

function places(fails = false) {
  const device = new Map<string, Draft & { sent: boolean }>();
  const server = new Map<string, Draft>();
  return {
    onDevice: device, onServer: server,
    device: {
      keepDraft: async (_: string, item: string, d: Draft, sent: boolean) => void device.set(item, { ...d, sent }),
      dropDraft: async (_: string, item: string) => void device.delete(item),
    },
    server: async (item: string, d: Draft) => {
      if (fails) throw new Error("offline");
      server.set(item, d);
    },
  };
}
const settle = (): Promise<void> => new Promise((r) => setTimeout(r, 0));

test("a draft is on the device at once and on the server when it is sent", async () => {
  const p = places();
  const d = new Drafts("ana", p);
  d.set("i", { typed: "mon" });
  d.set("i", { class: "money" });
  assert.deepEqual({ ...p.onDevice.get("i") }, { typed: "mon", class: "money", sent: false });
  d.flush();
  await settle();
  assert.deepEqual(p.onServer.get("i"), { typed: "mon", class: "money" });
  assert.equal(p.onDevice.get("i")?.sent, true);
});

test("an answer ends the draft here; what was on its way changes nothing", async () => {
  const p = places();
  const d = new Drafts("ana", p);
  d.set("i", { reason: "unclear" });
  d.flush();
  d.forget("i");
  await settle();
  assert.deepEqual(d.of("i"), {});
  assert.equal(p.onDevice.has("i"), false);
});

test("without a network the draft of this device holds, else the newer one of the server", () => {
  const d = new Drafts("ana", places(true));
  d.adopt("unsent here", { class: "a", sent: false }, { class: "b" });
  d.adopt("sent from here", { class: "a", sent: true }, { class: "b" });
  d.adopt("ended elsewhere", { class: "a", sent: true }, undefined);
  d.adopt("begun elsewhere", undefined, { reason: "r" });
  assert.deepEqual(["unsent here", "sent from here", "ended elsewhere", "begun elsewhere"].map((i) => d.of(i).class ?? d.of(i).reason), ["a", "b", undefined, "r"]);
});
