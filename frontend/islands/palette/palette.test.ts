import assert from "node:assert/strict";
import { test } from "node:test";
import { match, type Entry } from "./match";

const entries: Entry[] = [
  { title: "Label", where: "Banking", href: "/projects/banking/label", words: "annotate" },
  { title: "Import data", where: "Banking", href: "/projects/banking/import", words: "upload csv" },
  { title: "Compare models", where: "Banking", href: "/projects/banking/compare" },
  { title: "Équipe", href: "/projects/equipe" },
];
const titles = (typed: string): string[] => match(entries, typed).map((e) => e.title);

test("nothing typed offers everything in order", () => {
  assert.deepEqual(titles("  "), ["Label", "Import data", "Compare models", "Équipe"]);
});

test("the beginning of a title wins over the inside of another", () => {
  assert.deepEqual(titles("la")[0], "Label");
});

test("every word has to match", () => {
  assert.deepEqual(titles("import bank"), ["Import data"]);
  assert.deepEqual(titles("import nowhere"), []);
});

test("words that are not shown are found too", () => {
  assert.deepEqual(titles("upload"), ["Import data"]);
});

test("accents and case do not matter", () => {
  assert.deepEqual(titles("EQUIPE"), ["Équipe"]);
});
