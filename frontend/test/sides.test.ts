import assert from "node:assert/strict";
import { test } from "node:test";
import { layerKey, type Run, type Series } from "../src/model";
import { DEFAULTS, type Picks } from "../src/picks";
import { cosine, difference, limitsOf, matchOf, obstacle, pairName, type Sides, sidesOf } from "../src/sides";

const series = (steps: number[], shape = [3, 3, 2, 4]) =>
  ({ name: "cnn", path: "conv/kernel", kind: "kernel", steps, shape }) as unknown as Series;
const runs: Run[] = [
  { run: "one", series: [series([5])] },
  { run: "two", series: [series([0, 3, 9])] },
  { run: "other", series: [series([0, 3], [5, 5, 2, 4])] },
];
const key = layerKey(series([]));
const find = (picks: Partial<Picks>, shown = runs): Sides =>
  sidesOf(runs, shown, key, { ...DEFAULTS, ...picks }, (one) => one.steps.length - 1) as Sides;
const steps = (sides: Sides) => sides.map((side) => [side.run, side.series.steps[side.at], side.pinned]);

test("a run is compared with its own first step, one of a single step with the next run", () => {
  assert.deepEqual(steps(find({ runA: "two" })), [
    ["two", 0, true],
    ["two", 9, false],
  ]);
  assert.deepEqual(steps(find({})), [
    ["one", 5, false],
    ["two", 9, false],
  ]);
  assert.deepEqual(steps(find({}, runs.slice(0, 1))), [
    ["one", 5, true],
    ["one", 5, false],
  ]);
  assert.equal(
    sidesOf(runs, runs, "elsewhere|conv", DEFAULTS, () => 0),
    null,
  );
});

test("what was picked holds, and a step between two is the one before", () => {
  assert.deepEqual(steps(find({ runA: "two", stepA: "slider", runB: "two", stepB: 4 })), [
    ["two", 9, false],
    ["two", 3, true],
  ]);
});

test("runs are paired by likeness, steps by index, unless told otherwise", () => {
  assert.equal(matchOf(find({ runA: "two" }), "auto"), "index");
  assert.equal(matchOf(find({ runA: "one", runB: "two" }), "auto"), "likeness");
  assert.equal(matchOf(find({ runA: "two" }), "likeness"), "likeness");
});

test("what stands in the way is said", () => {
  assert.equal(obstacle(find({ runA: "two" })), "");
  assert.match(obstacle(find({ runA: "two", runB: "other" })), /Received: \(3, 3, 2\) in A and \(5, 5, 2\) in B/);
  assert.match(obstacle(find({ runA: "two", stepB: -1 })), /Nothing was logged up to this step in B/);
});

test("differences, limits and cosines", () => {
  const a = new Float32Array([1, 2, Number.NaN, -4]);
  const b = new Float32Array([3, 2, 1, 4]);
  assert.deepEqual([...difference(a, b)], [2, 0, Number.NaN, 8]);
  assert.deepEqual(limitsOf(a, 2), [2, 4]);
  assert.equal(cosine(a, b), (3 + 4 - 16) / Math.sqrt(21 * 30));
  assert.equal(cosine(a, new Float32Array(4)), null);
  assert.deepEqual([pairName(3, 17), pairName(3, 3), pairName(3, -1)], ["3 ← 17", "3", "3 ← none"]);
});
