import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryShelf } from "./device";
import { newId } from "./ids";
import { Outbox, type Answer, type Entry, type State } from "./queue";
import { saving } from "./saving";
import { fill, Speech } from "./words";

// ------------------------------------------------------------------ words

test("each language writes numbers and chooses words in its own way", () => {
  const de = new Speech("de");
  assert.equal(de.fill("{n} {n|Antwort|Antworten}", { n: 10003 }), "10.003 Antworten");
  assert.equal(de.fill("{n} {n|Antwort|Antworten}", { n: 1 }), "1 Antwort");
  assert.equal(de.count(0.25), "0,25");
  assert.equal(new Speech("en-XB").fill("{n} {n|item|items}", { n: 10003 }), "10,003 items", "the mirrored language of the tests");
});

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
    0,
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
  shelf.put = shelf.enter = async () => {
    throw new Error("quota");
  };
  const w = world(() => "done", shelf);
  await w.outbox.add(entry("1", "a"));
  await w.until(idle);
  assert.deepEqual(w.sent, ["1"]);
});

test("an undo in a second tab waits for the first, which sends the answer", async () => {
  const shelf = new MemoryShelf();
  const open: (() => void)[] = [];
  const first = world(() => new Promise<Answer>((resolve) => open.push(() => resolve("done"))), shelf, "first");
  await first.outbox.add(entry("1", "a"));
  const second = world(() => "done", shelf, "second");
  await second.outbox.add(entry("2", "a", { kind: "undo", target: "1" }));
  assert.deepEqual(second.sent, [], "the answer is still on its way");
  assert.equal(second.state().waiting, 2);
  open.forEach((f) => f());
  await first.until(idle);
  await second.outbox.adopt();
  await second.until(idle);
  assert.deepEqual([...first.sent, ...second.sent], ["1", "2"]);
});

// ----------------------------------------------------------------- saving

const texts = { all: "All saved", waiting: "{n} waiting, last saved {time}", "waiting.first": "{n} waiting", offline: "No connection: {n} kept, last saved {time}",
  "offline.first": "No connection: {n} kept", login: "Signed out: {n} kept", unkept: "Leave the page open." };
const said: [string, Partial<State>, boolean, string, string][] = [
  ["nothing waits", {}, true, "All saved", "saved"],
  ["trouble without anything that waits is none", { trouble: "offline" }, true, "All saved", "saved"],
  ["the first ones", { waiting: 3 }, true, "3 waiting", "waiting"],
  ["after others", { waiting: 3, saved: 5 }, true, "3 waiting, last saved 10:42", "waiting"],
  ["an outage", { waiting: 1, saved: 5, trouble: "offline" }, true, "No connection: 1 kept, last saved 10:42", "trouble"],
  ["a lapsed login", { waiting: 2, saved: 5, trouble: "login" }, true, "Signed out: 2 kept", "trouble"],
  ["a browser that keeps nothing", { waiting: 1 }, false, "1 waiting Leave the page open.", "waiting"],
];
for (const [name, state, kept, words, mood] of said) {
  test(`the state of saving: ${name}`, () => {
    assert.deepEqual(saving({ waiting: 0, parked: [], trouble: "", retryAt: 0, saved: 0, ...state }, kept, texts, () => "10:42"), { words, mood });
  });
}
