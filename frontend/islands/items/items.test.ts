import assert from "node:assert/strict";
import { test } from "node:test";
import { move } from "./rows";

test("the first step goes to an end of the list", () => {
  assert.equal(move(-1, 3, 1), 0);
  assert.equal(move(-1, 3, -1), 2);
});

test("steps stay inside the list", () => {
  assert.equal(move(0, 3, -1), 0);
  assert.equal(move(1, 3, 1), 2);
  assert.equal(move(2, 3, 1), 2);
  assert.equal(move(-1, 0, 1), -1);
});
