import assert from "node:assert/strict";
import { test } from "node:test";
import { charts, fill, text, thin, ticks } from "./scale";

test("points are grouped by metric and split, held-out first", () => {
  const point = (name: string, split: string, step: number) => ({ name, split, step, value: step });
  const all = charts([point("loss", "train", 2), point("loss", "train", 1), point("loss", "validation", 1), point("accuracy", "", 1)]);
  assert.deepEqual([...all.keys()], ["accuracy", "loss"]);
  assert.deepEqual(all.get("loss")!.map((s) => s.split), ["validation", "train"]);
  assert.deepEqual(all.get("loss")![1]!.points.map((p) => p.step), [1, 2]);
});

test("ticks are round, few and span the values", () => {
  for (const [low, high] of [[0, 1], [0.79, 0.91], [-3, 12], [5, 5], [0, 0], [1e-7, 3e-7], [1200, 1e6]] as const) {
    const t = ticks(low, high);
    assert.ok(t.length >= 2 && t.length <= 6, `${low}..${high}: ${t}`);
    assert.ok(t[0]! <= low && t[t.length - 1]! >= high, `${low}..${high}: ${t}`);
  }
});

test("values are short", () => {
  assert.equal(text(0.90714285), "0.9071");
  assert.equal(text(0), "0");
  assert.equal(text(12345.678), "12,345.7");
  assert.equal(text(0.0000123), "1.23e-5");
});

test("sentences take their values and leave unknown places", () => {
  assert.equal(fill("[name] at [step], [other]", { name: "loss", step: 3 }), "loss at 3, [other]");
});

test("a long course keeps its ends", () => {
  const all = Array.from({ length: 5000 }, (_, i) => i);
  const few = thin(all, 400);
  assert.equal(few.length, 400);
  assert.equal(few[0], 0);
  assert.equal(few[399], 4999);
  assert.deepEqual(thin([1, 2], 400), [1, 2]);
});
