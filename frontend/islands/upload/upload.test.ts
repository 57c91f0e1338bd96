import assert from "node:assert/strict";
import { test } from "node:test";

(globalThis as { HTMLElement?: unknown }).HTMLElement ??= class {};

test("percents are whole and never more than all", async () => {
  const { percent } = await import("./upload");
  assert.equal(percent(0, 0), 0);
  assert.equal(percent(1, 3), 33);
  assert.equal(percent(5, 4), 100);
});

test("messages are filled and unknown names stay", async () => {
  const { words } = await import("./upload");
  assert.equal(words("{percent} % sent of {size}", { percent: 7 }), "7 % sent of {size}");
});
