import assert from "node:assert/strict";
import { test } from "node:test";

import { sentence } from "./problem";

const words = { none: "none", one: "one", many: "{n} wait", unknown: "unknown" };

test("the sentence says what is there", () => {
  assert.equal(sentence(words, 0), "none");
  assert.equal(sentence(words, 1), "one");
  assert.equal(sentence(words, 12), "12 wait");
});

test("not knowing is no zero", () => {
  assert.equal(sentence(words, null), "unknown");
});
