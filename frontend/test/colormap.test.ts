import assert from "node:assert/strict";
import { test } from "node:test";
import {
  colourIndex,
  colourTable,
  MAP_LABELS,
  type MapChoice,
  type MapName,
  NOT_FINITE,
  perUnit,
  resolveMap,
  ZERO,
} from "../src/paint/colormap";

const MAPS = (Object.keys(MAP_LABELS) as MapChoice[]).filter((name): name is MapName => name !== "auto");
const DIVERGING = MAPS.filter((name) => name !== "grey");

/** CIE lightness L* of an entry, from the sRGB and CIELAB definitions (IEC 61966-2-1, ISO 11664-4). */
function lightness(entry: number): number {
  const [r = 0, g = 0, b = 0] = [entry & 255, (entry >> 8) & 255, (entry >> 16) & 255].map((level) => {
    const v = level / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (y * 24389) / 27;
}

const at = (table: Uint32Array, i: number) => table[i] as number;

for (const map of MAPS) {
  test(`${map}: every number is opaque, what is not finite is transparent`, () => {
    const table = colourTable(map);
    assert.equal(table.length, 256);
    for (let i = 0; i < NOT_FINITE; i++) assert.equal(at(table, i) >>> 24, 255);
    assert.equal(at(table, NOT_FINITE), 0);
  });
}

for (const map of DIVERGING) {
  test(`${map}: zero is neutral; equal magnitudes are equally light, and the sign can be told`, () => {
    const table = colourTable(map);
    const zero = at(table, ZERO);
    const levels = [zero & 255, (zero >> 8) & 255, (zero >> 16) & 255];
    assert.ok(Math.max(...levels) - Math.min(...levels) <= 1, `zero is ${levels}`);
    for (let step = 1; step <= ZERO; step++) {
      const below = at(table, ZERO - step);
      const above = at(table, ZERO + step);
      assert.ok(Math.abs(lightness(below) - lightness(above)) < 9, `step ${step}`);
      // Blue below, red above: blue against red differs also for people who confuse red and green.
      if (step > 8)
        assert.ok(((below >> 16) & 255) > (below & 255) && ((above >> 16) & 255) < (above & 255), `${step}`);
    }
  });

  test(`${map}: lightness runs one way from zero to the limit`, () => {
    const table = colourTable(map);
    const direction = Math.sign(lightness(at(table, 254)) - lightness(at(table, ZERO)));
    for (let i = ZERO; i < 254; i++) {
      assert.ok((lightness(at(table, i + 1)) - lightness(at(table, i))) * direction > -0.6, `entry ${i}`);
    }
  });
}

test("the automatic map suits the theme", () => {
  assert.ok(lightness(at(colourTable(resolveMap("auto", false)), ZERO)) > 90);
  assert.ok(lightness(at(colourTable(resolveMap("auto", true)), ZERO)) < 20);
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
