import assert from "node:assert/strict";
import { test } from "node:test";
import { colourIndex, colourTable, gradient, NOT_FINITE, perUnit, resolveMap, ZERO } from "../src/paint/colormap";

test("a table has the server's colours, and nothing for what is not finite", () => {
  const colours = Array.from({ length: 255 }, (_, i) => `${(i + 256).toString(16)}2a7`.slice(1).padEnd(6, "f"));
  const table = colourTable(colours.join(""));
  assert.equal(table.length, 256);
  assert.equal(table[0], 0xff7f_2a00);
  assert.equal(table[254], 0xff7f_2afe);
  assert.equal(table[NOT_FINITE], 0);
  assert.equal(colourTable(colours.join("")), table);
  assert.match(gradient(colours.join("")), /^linear-gradient\(to right, #002a7f,#082a7f,.*,#7f2a7f,.*,#fe2a7f\)$/);
});

test("the automatic map suits the theme", () => {
  assert.equal(resolveMap("auto", false), "bluered");
  assert.equal(resolveMap("auto", true), "night");
  assert.equal(resolveMap("grey", true), "grey");
});

test("indices are symmetric about zero and end at the limit", () => {
  const unit = perUnit(0.3);
  assert.equal(colourIndex(0, unit), ZERO);
  assert.equal(colourIndex(-0, unit), ZERO);
  assert.equal(colourIndex(0.3, unit), 254);
  assert.equal(colourIndex(-0.3, unit), 0);
  assert.equal(colourIndex(1e30, unit), 254);
  for (let i = 0; i <= 1000; i++) {
    const value = (0.3 * i) / 1000;
    assert.equal(colourIndex(value, unit) - ZERO, ZERO - colourIndex(-value, unit));
  }
});

test("what is not finite has its own index, on any scale", () => {
  for (const unit of [perUnit(0.3), perUnit(0)]) {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      assert.equal(colourIndex(value, unit), NOT_FINITE);
    }
  }
});

test("a scale without extent shows zero", () => {
  for (const limit of [0, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(perUnit(limit), 0);
  assert.equal(colourIndex(0, perUnit(0)), ZERO);
});
