import assert from "node:assert/strict";
import { test } from "node:test";
import { anchor, cut, isError, isMachine, pieces } from "./lines";

const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

test("a piece is cut into whole lines that know where they begin", () => {
  const all = bytes("one\ntwö\nthree");
  assert.deepEqual(cut(all, 100, false), { lines: [{ text: "one", offset: 100 }, { text: "twö", offset: 104 }], next: 109 });
  assert.deepEqual(cut(all, 100, true).lines[2], { text: "three", offset: 109 });
  assert.equal(cut(all, 100, true).next, 114);
});

test("a log that ends with its last line has no empty one after it", () => {
  assert.deepEqual(cut(bytes("a\n\nb\n"), 0, true).lines.map((l) => l.text), ["a", "", "b"]);
});

test("errors are told from lines that only mention them", () => {
  for (const line of ["error: no rows", "Traceback (most recent call last):", "ValueError: x", "FATAL out of memory", "Killed"]) assert.ok(isError(line), line);
  for (const line of ["0 errors", "finished without errors", "epoch 3/8  loss 0.2", "terrors of the deep", "no failures"]) assert.ok(!isError(line), line);
});

test("lines for machines are told", () => {
  assert.ok(isMachine("::progress 0.4 epoch 1/3"));
  assert.ok(!isMachine("std::vector"));
});

test("an address names a line or none", () => {
  assert.equal(anchor("#L12"), 12);
  for (const hash of ["", "#", "#L", "#12", "#Lx", "#L1x"]) assert.equal(anchor(hash), 0, hash);
});

test("a search marks every place, in any case, and keeps the text", () => {
  const found = pieces("Loss and loss", "loss");
  assert.deepEqual(found.map((p) => p.hit), [true, false, true]);
  assert.equal(found.map((p) => p.text).join(""), "Loss and loss");
  assert.deepEqual(pieces("nothing", "x"), [{ text: "nothing", hit: false }]);
  assert.deepEqual(pieces("İİ a", "a").map((p) => p.text).join(""), "İİ a");
});
