import assert from "node:assert/strict";
import { test } from "node:test";
import { STILL, Watch } from "./watch";

test("time counts only while somebody looks", () => {
  const w = new Watch(0);
  w.tick(500, true, []);
  w.tick(1000, true, []);
  w.tick(1500, false, []);
  w.tick(2000, true, []);
  assert.equal(w.take().millis, 1500);
  assert.equal(w.take().millis, 0);
});

test("a machine that slept looked at nothing meanwhile", () => {
  const w = new Watch(0);
  w.tick(3_600_000, true, []);
  assert.equal(w.take().millis, 2000);
});

test("an item counts after a second in view, once", () => {
  const w = new Watch(0);
  w.tick(500, true, [7, 8]);
  w.tick(1000, true, [7]);
  w.tick(1500, true, [7]);
  w.tick(2000, true, [8]);
  assert.deepEqual(w.take().items, [7]);
  w.tick(2500, true, [7, 8]);
  w.tick(3000, true, [7, 8]);
  w.tick(3500, true, [7, 8]);
  assert.deepEqual(w.take().items, [8]);
});

test("what passes by, or stands on a page that is not in front, is not looked at", () => {
  const w = new Watch(0);
  w.tick(500, true, [1]);
  w.tick(1000, false, []);
  w.tick(1500, true, [1]);
  assert.deepEqual(w.take().items, []);
});

test("nobody is there who was still for long", () => {
  const w = new Watch(0);
  assert.equal(w.there(STILL - 1), true);
  assert.equal(w.there(STILL), false);
  w.touch(STILL);
  assert.equal(w.there(STILL + 1), true);
});

test("what could not be told is told with the next", () => {
  const w = new Watch(0);
  w.tick(1000, true, [3]);
  w.tick(2000, true, [3]);
  w.back(w.take());
  assert.deepEqual(w.take(), { millis: 2000, items: [3] });
});
