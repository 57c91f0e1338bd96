import assert from "node:assert/strict";
import { test } from "node:test";
import { again, type Mark } from "./again";
import { seat } from "./signin";
import { isTyping } from "./typing";
import { combo, moved, press, type Press } from "./own";
import { pieces } from "./unseen";

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

function marked(over: Partial<Mark>): Mark {
  return { tag: "A", id: "", name: "", words: "", href: "", ...over };
}

test("the focus finds the same thing in a part that was replaced", () => {
  const part = [marked({ words: "Both right 12", href: "?a" }), marked({ words: "Lost 3", href: "?b" }), marked({ tag: "BUTTON", id: "go", words: "Lost 3" })];
  assert.equal(again(marked({ words: "Lost 3", href: "?" }), 0, part), 1, "by its words");
  assert.equal(again(marked({ words: "Lost 4", href: "?a" }), 1, part), 0, "by where it leads");
  assert.equal(again(marked({ id: "go", words: "Both right 12" }), 0, part), 2, "an id counts most");
  const boxes = [marked({ tag: "INPUT", name: "item=1" }), marked({ tag: "INPUT", name: "item=2" })];
  assert.equal(again(marked({ tag: "INPUT", name: "item=2" }), 0, boxes), 1, "by name and value");
});

test("the focus stays in its place when its element is gone", () => {
  const part = [marked({ words: "one" }), marked({ words: "two" })];
  assert.equal(again(marked({ words: "three" }), 1, part), 1);
  assert.equal(again(marked({ words: "three" }), 7, part), 1, "not past the end");
  assert.equal(again(marked({ words: "three" }), 0, []), -1, "nothing is left");
});

test("what nobody sees is shown as a mark", () => {
  assert.deepEqual(pieces("plain – text"), [{ text: "plain – text" }]);
  assert.deepEqual(pieces(""), []);
  assert.deepEqual(pieces("pay\u202egpj"), [{ text: "pay" }, { text: "RLO", unseen: "U+202E" }, { text: "gpj" }]);
  assert.deepEqual(pieces("\u2066a"), [{ text: "LRI", unseen: "U+2066" }, { text: "a" }]);
  assert.deepEqual(pieces("x\u{E0041}"), [{ text: "x" }, { text: "U+E0041", unseen: "U+E0041" }]);
  assert.deepEqual(pieces("می\u200cخواهم 👩\u200d⚕"), [{ text: "می\u200cخواهم 👩\u200d⚕" }], "joiners that join");
  assert.deepEqual(pieces("a\u200db"), [{ text: "a" }, { text: "ZWJ", unseen: "U+200D" }, { text: "b" }], "and one that does not");
});

test("who sits here is what the server says", () => {
  assert.equal(seat(200, "p1", "p1"), "same");
  assert.equal(seat(200, "p2", "p1"), "other");
  assert.equal(seat(401, undefined, "p1"), "nobody");
  assert.equal(seat(502, undefined, "p1"), "unknown", "a proxy's trouble says nothing about the login");
  assert.equal(seat(200, undefined, "p1"), "unknown");
});

test("a press is named as the table of keys names it", () => {
  const named: [string, Press][] = [
    ["Alt+L", { key: "l", code: "KeyL", altKey: true }],
    ["Alt+L", { key: "¬", code: "KeyL", altKey: true }], // a Mac prints signs with Alt
    ["Ctrl+Shift+Z", { key: "Z", code: "KeyY", ctrlKey: true, shiftKey: true }], // QWERTZ
    ["Ctrl+Z", { key: "я", code: "KeyZ", metaKey: true }],
    ["Shift+Space", { key: " ", code: "Space", shiftKey: true }],
    ["?", { key: "?", code: "Slash", shiftKey: true }],
    ["/", { key: "/", code: "Digit7", shiftKey: true }], // QWERTZ again
    ["0", { key: "à", code: "Digit0" }], // AZERTY
    ["F2", { key: "F2", code: "F2" }],
    ["", { key: "Shift", code: "ShiftLeft", shiftKey: true }],
    ["", { key: "Dead", code: "BracketLeft" }],
  ];
  for (const [want, p] of named) assert.equal(combo(p), want, JSON.stringify(p));
  for (const name of ["Alt+L", "Ctrl+Shift+Z", "Shift+Space", "?", ".", "0", "F2"]) assert.equal(combo(press(name)), name);
});

test("a key that was moved means what it stands for now, and its old place nothing", () => {
  const keys = { "Alt+S": "Shift+Space", ".": "/", "/": "." };
  assert.equal(moved("Alt+S", keys), "Shift+Space");
  assert.equal(moved("Shift+Space", keys), "");
  assert.equal(moved(".", keys), "/", "two keys may change places");
  assert.equal(moved("/", keys), ".");
  assert.equal(moved("Enter", keys), null);
  assert.equal(moved("", keys), null);
});
