import assert from "node:assert/strict";
import { test } from "node:test";
import { matches } from "./dialogs";
import { newId } from "./ids";
import { Layout, meaning, type Press } from "./keys";
import { Outbox, type Answer, type Entry, type State } from "./outbox";
import { MemoryShelf } from "./shelf";
import { fill } from "./words";

// ------------------------------------------------------------------- keys

const presses: [string, Press, string][] = [
  ["a digit of the top row", { key: "1", code: "Digit1" }, "answer 1"],
  ["the same key on AZERTY, which prints &", { key: "&", code: "Digit1" }, "answer 1"],
  ["AZERTY's é is the second", { key: "é", code: "Digit2" }, "answer 2"],
  ["a digit of the number pad", { key: "7", code: "Numpad7" }, "answer 7"],
  ["the number pad without NumLock", { key: "Home", code: "Numpad7" }, "nothing"],
  ["zero answers nothing", { key: "0", code: "Digit0" }, "nothing"],
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

// ------------------------------------------------------------------ words

test("placeholders are filled as on the server", () => {
  assert.equal(fill("{n} of {of} {n|item|items}", { n: 1, of: 10003 }), "1 of 10,003 item");
  assert.equal(fill("{n|answer|answers} {class}", { n: 2, class: "a {n} b" }), "answers a {n} b");
});

test("ids are UUIDv7 in the order in which they are made", () => {
  const a = newId(1_700_000_000_000);
  const b = newId(1_700_000_000_001);
  assert.match(a, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(a < b);
  assert.equal(Number.parseInt(a.slice(0, 8) + a.slice(9, 13), 16), 1_700_000_000_000);
});

test("typing finds classes, at the beginning of words first, without accents", () => {
  const classes = ["card arrival", "lost card", "Zürich", "discard"].map((name, i) => ({ id: String(i), name, color: 0, key: "" }));
  assert.deepEqual(matches(classes, "card").map((c) => c.id), ["0", "1", "3"]);
  assert.deepEqual(matches(classes, "zur").map((c) => c.id), ["2"]);
  assert.deepEqual(matches(classes, "").length, 4);
  assert.deepEqual(matches(classes, "x"), []);
});

// ----------------------------------------------------------------- outbox

function entry(id: string, item: string, more: Partial<Entry> = {}): Entry {
  return { id, person: "p", project: "x", kind: "answer", item, words: "", text: "", made: Number(id), tries: 0, ...more };
}

/** A server that answers as the test says, and an outbox that talks to it. */
function world(answers: (e: Entry, nth: number) => Answer | Promise<Answer>, shelf = new MemoryShelf(), tab = "t", former = "") {
  const sent: string[] = [];
  let state: State | undefined;
  const waiters: (() => void)[] = [];
  const times = new Map<string, number>();
  const outbox = new Outbox(
    shelf, "p", tab, former,
    async (e) => {
      const nth = (times.get(e.id) ?? 0) + 1;
      times.set(e.id, nth);
      sent.push(e.id);
      return answers(e, nth);
    },
    (s) => {
      state = s;
      for (const w of waiters) w();
    },
    Date.now,
    () => 0.5,
  );
  const until = (wish: (s: State) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (state && wish(state)) resolve();
      };
      waiters.push(look);
      look();
    });
  return { outbox, sent, until, shelf, state: () => state! };
}

const idle = (s: State): boolean => s.waiting === 0;

test("an answer is on the shelf before it is sent and gone when it is acknowledged", async () => {
  let onShelf = false;
  const shelf = new MemoryShelf();
  const w = world(async (e): Promise<Answer> => {
    onShelf = (await shelf.list("p")).some((x) => x.id === e.id);
    return "done" as const;
  }, shelf);
  await w.outbox.add(entry("1", "i"));
  await w.until(idle);
  assert.equal(onShelf, true);
  assert.deepEqual(await shelf.list("p"), []);
});

test("entries of one item go in order, of several items side by side", async () => {
  const open: (() => void)[] = [];
  const w = world(() => new Promise<Answer>((resolve) => open.push(() => resolve("done"))));
  await w.outbox.add(entry("1", "a"));
  await w.outbox.add(entry("2", "a", { kind: "undo", target: "1" }));
  await w.outbox.add(entry("3", "b"));
  assert.deepEqual(w.sent, ["1", "3"]);
  open.forEach((f) => f());
  open.length = 0;
  await w.until((s) => s.waiting === 1);
  await new Promise((r) => setTimeout(r, 0));
  assert.deepEqual(w.sent, ["1", "3", "2"]);
  open.forEach((f) => f());
  await w.until(idle);
});

test("an outage is waited out and nothing is sent to another place", async () => {
  const w = world((_, nth) => (nth === 1 ? "later" : "done"));
  await w.outbox.add(entry("1", "a"));
  await w.until((s) => s.trouble === "offline");
  assert.ok(w.state().retryAt > 0);
  await w.until(idle);
  assert.deepEqual(w.sent, ["1", "1"]);
  assert.equal(w.state().trouble, "");
});

test("a lapsed login keeps answers until somebody signs in", async () => {
  let signedIn = false;
  const w = world(() => (signedIn ? "done" : "login"));
  await w.outbox.add(entry("1", "a"));
  await w.until((s) => s.trouble === "login");
  assert.equal(w.state().waiting, 1);
  signedIn = true;
  w.outbox.nudge();
  await w.until(idle);
});

test("what is refused is parked visibly, and the others go on", async () => {
  const w = world((e, nth) => (e.id === "1" && nth === 1 ? { refused: "no such class" } : "done"));
  await w.outbox.add(entry("1", "a"));
  await w.outbox.add(entry("2", "b"));
  await w.until((s) => s.parked.length === 1 && s.waiting === 0);
  assert.equal(w.state().parked[0]!.parked, "no such class");
  assert.equal((await w.shelf.list("p")).length, 1, "still on the device");
  await w.outbox.retry("1");
  await w.until((s) => s.parked.length === 0 && s.waiting === 0);
});

test("undoing what was refused takes both away without asking the server", async () => {
  const w = world((e) => (e.id === "1" ? { refused: "no" } : "done"));
  await w.outbox.add(entry("1", "a"));
  await w.until((s) => s.parked.length === 1);
  await w.outbox.add(entry("2", "a", { kind: "undo", target: "1" }));
  await w.until((s) => s.parked.length === 0 && s.waiting === 0);
  assert.deepEqual(w.sent, ["1"]);
});

test("answers of somebody else wait for them", async () => {
  const shelf = new MemoryShelf();
  await shelf.put(entry("1", "a", { person: "somebody else" }));
  const w = world(() => "done", shelf);
  await w.outbox.adopt();
  await w.until(idle);
  assert.deepEqual(w.sent, []);
  assert.equal((await shelf.list("somebody else")).length, 1);
});

test("a second tab sends what the first does not hold, and nothing twice", async () => {
  const shelf = new MemoryShelf();
  await shelf.put(entry("0", "z")); // left behind by a page long gone
  const first = world(() => new Promise<Answer>(() => undefined), shelf, "first");
  await first.outbox.adopt();
  await first.outbox.add(entry("1", "a"));
  const second = world(() => "done", shelf, "second");
  await second.outbox.adopt();
  await second.until((s) => s.waiting === 2); // said, although the first tab sends them
  assert.deepEqual(second.sent, []);
  await first.outbox.release();
  await new Promise((r) => setTimeout(r, 5));
  await second.outbox.adopt();
  await second.until(idle);
  assert.deepEqual(second.sent.sort(), ["0", "1"]);
});

test("the page that follows in a tab takes over at once", async () => {
  const shelf = new MemoryShelf();
  const first = world(() => new Promise<Answer>(() => undefined), shelf, "first");
  await first.outbox.add(entry("1", "a")); // and then the page is gone without a word
  const next = world(() => "done", shelf, "next", "first");
  await next.outbox.adopt();
  await next.until(idle);
  assert.deepEqual(next.sent, ["1"]);
});

test("a shelf that breaks is said, and answers are still sent", async () => {
  const shelf = new MemoryShelf();
  shelf.put = async () => {
    throw new Error("quota");
  };
  const w = world(() => "done", shelf);
  await w.outbox.add(entry("1", "a"));
  await w.until(idle);
  assert.deepEqual(w.sent, ["1"]);
});
