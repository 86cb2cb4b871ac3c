import assert from "node:assert/strict";
import { test } from "node:test";
import { joinHash, splitHash } from "../src/host";
import { layerKey } from "../src/model";
import { DEFAULTS, type Picks, readAll, writeAll } from "../src/picks";

/** What comes back after a way through the address bar. */
const roundTrip = (picks: Picks, hash = "#filterviz"): Picks =>
  readAll(splitHash(joinHash(hash, writeAll(picks))).picks);

const ODD = [
  "<script>alert(1)</script>",
  `"quoted" 'too'`,
  "100% & more=#?/+",
  "空 ü \u{1f600}",
  "a|b\\c",
  "%41%",
  "[x]",
  " ",
];

test("defaults leave no trace in the address", () => {
  assert.equal(joinHash("#filterviz", writeAll(DEFAULTS)), "#filterviz");
  assert.deepEqual(roundTrip(DEFAULTS), DEFAULTS);
});

test("everything picked comes back", () => {
  const picks: Picks = {
    runs: ["train", "eval"],
    runFilter: "^tr.*",
    layerFilter: "conv\\d+",
    layer: "cnn|block1/conv/kernel",
    kind: "patterns",
    view: "overview",
    sort: "similar",
    find: "dead norm>0.5",
    slices: "norm",
    main: "eval",
    align: "relative",
    place: 333,
    speed: 10,
    input: 511,
    step: -3,
    filter: 0,
    scale: 0.05,
    map: "grey",
    tile: 8,
    zoom: 3,
    contrast: "stretched",
    runA: "train",
    runB: "eval",
    stepA: 3,
    stepB: "slider",
    match: "likeness",
    marked: [7, 3],
  };
  assert.deepEqual(roundTrip(picks), picks);
  for (const input of ["mean", "strongest", "rgb", "all", 0] as const) {
    assert.equal(roundTrip({ ...DEFAULTS, input }).input, input);
  }
  for (const scale of ["layer", 1e-7, 12345.678, 1e-45, 3.4e38] as const) {
    assert.equal(roundTrip({ ...DEFAULTS, scale }).scale, scale);
  }
});

test("odd characters come back as they were", () => {
  for (const text of ODD) {
    const picks: Picks = { ...DEFAULTS, runs: [text], layer: layerKey({ name: text, path: text }), runFilter: text };
    assert.deepEqual(roundTrip(picks), picks);
    assert.deepEqual(roundTrip({ ...DEFAULTS, runs: [text, ...ODD] }).runs, [text, ...ODD]);
  }
  assert.deepEqual(roundTrip({ ...DEFAULTS, runs: [] }).runs, []);
  assert.deepEqual(roundTrip({ ...DEFAULTS, runs: [""] }).runs, [""]);
});

test("an address shows nothing that could be markup", () => {
  const hash = joinHash("#filterviz", writeAll({ ...DEFAULTS, runs: ODD, layer: ODD.join() }));
  assert.match(hash, /^[#\w.&=%~*'()!-]*$/);
});

test("TensorBoard's own parts stay", () => {
  const hash = "#filterviz&runSelectionState=eyJ0cmFpbiI6dHJ1ZX0%3D&p.filterviz.step=1&p.other.step=2";
  assert.equal(
    joinHash(hash, new Map([["step", "7"]])),
    "#filterviz&runSelectionState=eyJ0cmFpbiI6dHJ1ZX0%3D&p.other.step=2&p.filterviz.step=7",
  );
  assert.equal(joinHash("", new Map()), "");
});

test("nonsense in an address takes the defaults", () => {
  const nonsense = {
    step: "1.5",
    filter: "-1",
    input: "-2",
    scale: "-1",
    map: "jet",
    tile: "7",
    zoom: "1e3",
    contrast: "x",
    kind: "y",
    run: "[1]",
  };
  assert.deepEqual(readAll(new Map(Object.entries(nonsense))), DEFAULTS);
  for (const text of ["", "x", "Infinity", "NaN", "__proto__", "0x10"]) {
    const read = readAll(new Map(["step", "filter", "input", "scale", "map", "tile"].map((key) => [key, text])));
    assert.deepEqual(read, DEFAULTS, text);
  }
  for (const scale of ["1e300", "3.5e38", "9e-46", "0", "0.0e9"]) {
    assert.deepEqual(readAll(new Map([["scale", scale]])), DEFAULTS, scale);
  }
  assert.deepEqual(readAll(splitHash("#filterviz&p.filterviz.layer=%E0%A4%A&p.filterviz.step=%").picks), DEFAULTS);
});

test("two layers never share a key", () => {
  assert.equal(layerKey({ name: "cnn", path: "conv1/kernel" }), "cnn|conv1/kernel");
  assert.notEqual(layerKey({ name: "a|b", path: "c" }), layerKey({ name: "a", path: "b|c" }));
  assert.notEqual(layerKey({ name: "a%7C", path: "c" }), layerKey({ name: "a|", path: "c" }));
});
