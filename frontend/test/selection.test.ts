import assert from "node:assert/strict";
import { test } from "node:test";
import type { Analysis } from "../src/api";
import { arrange, byNorm, gather, parseFind } from "../src/selection";

const ANALYSIS: Analysis = {
  names: ["norm", "dead", "duplicate_of", "opposite_of", "change"],
  values: [
    [1, 0, 0, null, null],
    [3, 0, null, null, 0.5],
    [0, 1, null, null, 0.1],
    [2, 0, 0, 1, 0.9],
  ],
  dtype: "float32",
  encoding: "float16",
  order: [2, 0, 3, 1],
};
const show = (
  text: string,
  sort: Parameters<typeof arrange>[2] = "index",
  reached = new Map<number, number | null>(),
) => arrange(4, parseFind(text), sort, ANALYSIS, reached);

test("numbers and ranges", () => {
  assert.deepEqual(show(""), [0, 1, 2, 3]);
  assert.deepEqual(show("3, 0"), [0, 3]);
  assert.deepEqual(show("1-2 9"), [1, 2]);
});

test("conditions, all of which must hold", () => {
  assert.deepEqual(show("dead"), [2]);
  assert.deepEqual(show("duplicate"), [0, 3]);
  assert.deepEqual(show("flipped"), [3]);
  assert.deepEqual(show("norm > 1"), [1, 3]);
  assert.deepEqual(show("norm>=1 change<0.6"), [1]);
  assert.deepEqual(show("0-1 norm=3"), [1]);
});

test("what takes computing is known beforehand", () => {
  assert.equal(parseFind("3 norm>1").deep, false);
  assert.equal(parseFind("dead").deep, true);
  assert.equal(parseFind("change>1").deep, true);
});

test("what is not understood is said", () => {
  assert.match(parseFind("norm>1 colour=red").error, /“colour=red” is not understood/);
  assert.match(parseFind("constructor").error, /not understood/);
  assert.match(parseFind("size>2").error, /not understood/);
  assert.equal(parseFind("dead").error, "");
});

test("orders", () => {
  assert.deepEqual(show("", "norm"), [1, 3, 0, 2]);
  assert.deepEqual(show("", "change"), [3, 1, 2, 0]); // what is unknown comes last
  assert.deepEqual(show("", "similar"), [2, 0, 3, 1]);
  const reached = new Map<number, number | null>([
    [3, 7],
    [0, -1],
    [1, null],
  ]);
  assert.deepEqual(show("", "reached", reached), [3, 0, 1, 2]);
});

test("pieces in another order", () => {
  const values = Float32Array.from([1, 1, 5, 0, Number.NaN, 2]);
  assert.deepEqual([...gather(values, 2, [1, 0])], [5, 0, 1, 1]);
  assert.deepEqual(byNorm(values, 2), [1, 2, 0]);
});
