import assert from "node:assert/strict";
import { test } from "node:test";

import { fill } from "./timezone";

test("an empty field gets the zone of the device", () => {
  const field = { value: "" };
  fill([field], "Europe/Berlin");
  assert.equal(field.value, "Europe/Berlin");
});

test("what a person chose stays", () => {
  const field = { value: "Asia/Tokyo" };
  fill([field], "Europe/Berlin");
  assert.equal(field.value, "Asia/Tokyo");
});

test("a device that does not say leaves the field empty", () => {
  const field = { value: "" };
  fill([field], undefined);
  assert.equal(field.value, "");
});
