import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, wanted } from "./parts";

test("a part wants the kinds that it lists", () => {
  assert.equal(wanted("run.created run.finished", "run.finished", "run/1"), true);
  assert.equal(wanted("run.created", "run.finished", "run/1"), false);
  assert.equal(wanted("run.*", "run.finished", "run/1"), true);
  assert.equal(wanted("run.*", "runner.started", "run/1"), false);
  assert.equal(wanted("log@attempt/7", "log", "attempt/7"), true);
  assert.equal(wanted("log@attempt/7", "log", "attempt/8"), false);
  assert.equal(wanted("", "log", "attempt/8"), false);
});

test("pauses grow to fifteen seconds and begin again", () => {
  const b = new Backoff(() => 0.5);
  assert.deepEqual([b.next(), b.next(), b.next()], [500, 1000, 2000]);
  for (let i = 0; i < 20; i++) b.next();
  assert.equal(b.next(), 15000);
  b.reset();
  assert.equal(b.next(), 500);
});
