import assert from "node:assert/strict";
import { test } from "node:test";
import { step } from "./step";

test("the walk begins at the end it comes from", () => {
  assert.equal(step(-1, 1, 5), 0);
  assert.equal(step(-1, -1, 5), 4);
});

test("one step goes one item on or back", () => {
  assert.equal(step(1, 1, 5), 2);
  assert.equal(step(1, -1, 5), 0);
});

test("the list is left at its ends, and an empty one at once", () => {
  assert.equal(step(4, 1, 5), -1);
  assert.equal(step(0, -1, 5), -1);
  assert.equal(step(-1, 1, 0), -1);
});
