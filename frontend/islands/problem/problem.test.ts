import assert from "node:assert/strict";
import { test } from "node:test";

import { lost, sentence } from "./problem";

const words = { none: "none", one: "one", many: "{n} wait", unknown: "unknown" };

test("the sentence says what is there", () => {
  assert.equal(sentence(words, 0), "none");
  assert.equal(sentence(words, 1), "one");
  assert.equal(sentence(words, 12), "12 wait");
});

test("not knowing is no zero", () => {
  assert.equal(sentence(words, null), "unknown");
});

test("whether anything is lost is computed", () => {
  assert.equal(lost("read", 0, 0), "none", "nothing was sent and nothing waits");
  assert.equal(lost("read", 0, 3), "", "what waits is said beside it");
  assert.equal(lost("refused", 2, 0), "sent", "what was typed is on the page");
  assert.equal(lost("unsure", 0, 0), "unknown", "the server cannot tell");
  assert.equal(lost("unsure", 2, 0), "unknown");
  assert.equal(lost("read", 0, null), "unknown", "the browser cannot tell");
});
