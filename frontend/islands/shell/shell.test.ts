import assert from "node:assert/strict";
import { test } from "node:test";
import { isTyping } from "./typing";

function element(tagName: string, type = ""): EventTarget {
  return { tagName, type, isContentEditable: false } as unknown as EventTarget;
}

test("keys belong to fields that take text", () => {
  assert.equal(isTyping(element("INPUT", "text")), true);
  assert.equal(isTyping(element("INPUT", "search")), true);
  assert.equal(isTyping(element("TEXTAREA")), true);
  assert.equal(isTyping(element("SELECT")), true);
  assert.equal(isTyping({ tagName: "DIV", isContentEditable: true } as unknown as EventTarget), true);
});

test("keys belong to the page where nothing takes text", () => {
  assert.equal(isTyping(null), false);
  assert.equal(isTyping(element("BODY")), false);
  assert.equal(isTyping(element("INPUT", "radio")), false);
  assert.equal(isTyping(element("INPUT", "checkbox")), false);
  assert.equal(isTyping(element("BUTTON")), false);
});
