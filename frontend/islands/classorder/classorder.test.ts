import assert from "node:assert/strict";
import { test } from "node:test";
import { target } from "./place";

test("a class changes places with the nearest one, past empty rows", () => {
  const names = ["cat", "dog", "", "cow", "", ""];
  assert.equal(target(names, 1, -1), 0);
  assert.equal(target(names, 1, 1), 3);
  assert.equal(target(names, 3, -1), 1);
});

test("the first stays first and the last stays last", () => {
  assert.equal(target(["cat", "dog", ""], 0, -1), 0);
  assert.equal(target(["cat", "dog", ""], 1, 1), 1);
});
