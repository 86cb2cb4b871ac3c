import assert from "node:assert/strict";
import { test } from "node:test";
import { moveCursor } from "../src/keys";
import {
  filtersPerAnswer,
  layersOf,
  modelInput,
  newestAt,
  type Run,
  resolveInput,
  type Series,
  shapeText,
  timeOf,
  unionSteps,
} from "../src/model";
import { stretch } from "../src/paint/stretch";
import { computed, onChange, remembered, state } from "../src/store";

function series(change: Partial<Series>): Series {
  return {
    tag: "t",
    kind: "kernel",
    name: "cnn",
    path: "conv1/kernel",
    layer_class: "Conv2D",
    position: 0,
    filters: 64,
    shape: [3, 3, 16, 64],
    axes: "HWIO",
    groups: 1,
    description: "",
    steps: [0],
    wall_time: 1,
    elapsed_ms: [0],
    superseded: 0,
    version: "a",
    ...change,
  };
}

test("layers are joined across runs and kinds, in model order below each name", () => {
  const patterns = series({ kind: "patterns", shape: [9, 9, 3], filters: 4 });
  const runs: Run[] = [
    { run: "a", series: [series({ path: "conv2/kernel", position: 1 }), series({ name: "other", path: "x" })] },
    { run: "b", series: [series({}), patterns, series({ path: "conv2/kernel", position: 1 })] },
  ];
  const layers = layersOf(runs);
  assert.deepEqual(
    layers.map(({ key }) => key),
    ["cnn|conv1/kernel", "cnn|conv2/kernel", "other|x"],
  );
  assert.equal(layers[0]?.patterns, patterns);
  assert.equal(layers[1]?.patterns, null);
});

test("shapes in words", () => {
  assert.equal(shapeText(series({})), "3×3 · 16 → 64");
  assert.equal(shapeText(series({ shape: [128, 10], axes: "IO" })), "128 → 10");
  assert.equal(shapeText(series({ shape: [5, 1, 32], groups: 32 })), "5 · 1 → 32 · 32 groups");
  assert.equal(shapeText(series({ kind: "patterns", shape: [9, 9, 3] })), "9×9×3 pictures");
});

test("a choice of inputs gives way to what the layer has", () => {
  const rgb = series({ shape: [3, 3, 3, 64] });
  const depthwise = series({ shape: [3, 3, 1, 64], groups: 64 });
  assert.equal(resolveInput(rgb, "auto"), "rgb");
  assert.equal(resolveInput(series({}), "auto"), "strongest");
  assert.equal(resolveInput(series({}), "rgb"), "strongest");
  for (const choice of ["auto", "all", "mean", "strongest"] as const) assert.equal(resolveInput(depthwise, choice), 0);
  assert.equal(resolveInput(rgb, 511), 2);
  assert.equal(resolveInput(series({ shape: [3, 64], axes: "IO" }), "auto"), "all");
  assert.equal(resolveInput(series({ shape: [1, 1, 16, 64] }), "auto"), "all");
});

test("grouped filters name the inputs of the model", () => {
  const grouped = series({ shape: [3, 3, 2, 8], filters: 8, groups: 4 });
  assert.deepEqual(
    [0, 1, 2, 7].map((filter) => modelInput(grouped, filter, 1)),
    [1, 1, 3, 7],
  );
});

test("a card shows the newest step that is not later", () => {
  const some = series({ steps: [-5, 0, 10, 20] });
  assert.deepEqual(
    [null, 20, 19, 0, -1, -6].map((step) => newestAt(some, step)),
    [3, 3, 2, 1, 0, -1],
  );
  assert.deepEqual(unionSteps([some, series({ steps: [0, 5] })]), [-5, 0, 5, 10, 20]);
});

test("an answer never asks for more numbers than the server gives", () => {
  const large = series({ shape: [3, 3, 1024, 2048], filters: 2048 });
  const count = filtersPerAnswer(large, "all");
  assert.ok(count * 9 * 1024 <= 16_777_216 && (count + 1) * 9 * 1024 > 16_777_216);
  assert.equal(filtersPerAnswer(large, "mean"), 2048);
});

test("keys move the cursor and stop at the edges", () => {
  const grid = { count: 10, perRow: 4 };
  const cases: [key: string, from: number, to: number | null][] = [
    ["ArrowRight", 3, 4],
    ["ArrowRight", 9, 9],
    ["ArrowLeft", 0, 0],
    ["ArrowDown", 1, 5],
    ["ArrowDown", 7, 9],
    ["ArrowDown", 8, 8],
    ["ArrowUp", 5, 1],
    ["ArrowUp", 2, 2],
    ["Home", 7, 0],
    ["End", 0, 9],
    ["PageDown", 1, 9],
    ["PageUp", 9, 1],
    ["x", 3, null],
  ];
  for (const [key, from, to] of cases) assert.equal(moveCursor(key, from, grid, 2), to, `${key} from ${from}`);
  assert.equal(moveCursor("End", 0, { count: 0, perRow: 1 }, 1), null);
});

test("a step's time is that of the first series that has the step", () => {
  const both = [
    series({ steps: [0, 5], elapsed_ms: [0, 1000] }),
    series({ steps: [5, 7], wall_time: 8, elapsed_ms: [0, 1000] }),
  ];
  assert.deepEqual(
    [0, 5, 7, 6, undefined].map((step) => timeOf(both, step)),
    [1, 2, 9, undefined, undefined],
  );
});

test("a stretched picture spans all levels; a flat one stays flat", () => {
  const picture = Uint8ClampedArray.of(100, 110, 120, 7, 150, 110, 120, 9);
  stretch(picture);
  assert.deepEqual([...picture], [0, 51, 102, 7, 255, 51, 102, 9]);
  const flat = Uint8ClampedArray.of(100, 100, 100, 255);
  stretch(flat);
  assert.deepEqual([...flat], [100, 100, 100, 255]);
});

test("one redraw for all that was set in one go, none for what did not change", async () => {
  let draws = 0;
  onChange(() => draws++);
  const value = state(1);
  let computations = 0;
  const double = computed(() => {
    computations++;
    return value() * 2;
  });
  value.set(2);
  value.set(3);
  assert.equal(double() + double(), 12);
  assert.equal(computations, 1);
  await Promise.resolve();
  assert.equal(draws, 1);
  value.set(3);
  await Promise.resolve();
  assert.equal(draws, 1);
});

test("a function of a list is computed again only for another list", () => {
  let computations = 0;
  const sum = remembered((list: readonly number[]) => {
    computations++;
    return list.reduce((all, one) => all + one, 0);
  });
  assert.equal(sum([1, 2]), 3);
  assert.equal(sum([1, 2]), 3);
  assert.equal(computations, 1);
  assert.equal(sum([1, 2, 3]), 6);
  assert.equal(sum([2, 1, 3]), 6);
  assert.equal(sum([]), 0);
  assert.equal(computations, 4);
});
