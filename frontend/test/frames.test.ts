import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeComparison, decodeKernels, decodePatterns, splitFrame } from "../src/frames";

/** A frame as `http_api.md` describes it. */
function frame(head: unknown, body: Uint8Array = new Uint8Array(0)): ArrayBuffer {
  let json = new TextEncoder().encode(typeof head === "string" ? head : JSON.stringify(head));
  const padding = (8 - ((4 + json.length) % 8)) % 8;
  json = Uint8Array.of(...json, ...new Uint8Array(padding).fill(32));
  const out = new Uint8Array(4 + json.length + body.length);
  new DataView(out.buffer).setUint32(0, json.length, true);
  out.set(json, 4);
  out.set(body, 4 + json.length);
  return out.buffer;
}

const bytesOf = (array: Uint16Array | Float32Array) => new Uint8Array(array.buffer);
const kernel = { shape: [2, 1, 1, 2], filters: [0, 2], limits: [1, 2], limit: 2, nonfinite: 0, inputs: 0 };
const halves = bytesOf(Uint16Array.of(0x3c00, 0xbc00, 0x4000, 0x7e00));

test("float16 and float32 kernels", () => {
  const half = decodeKernels(frame({ ...kernel, dtype: "float16", nonfinite: 1 }, halves));
  assert.deepEqual([...half.values], [1, -1, 2, Number.NaN]);
  assert.deepEqual([half.shape, half.limits, half.limit, half.nonfinite], [[2, 1, 1, 2], [1, 2], 2, 1]);
  assert.equal(half.chosen, undefined);
  const single = decodeKernels(
    frame({ ...kernel, dtype: "float32", chosen: [3, 0] }, bytesOf(Float32Array.of(1, 2, 3, 4))),
  );
  assert.deepEqual([...single.values], [1, 2, 3, 4]);
  assert.deepEqual(single.chosen, [3, 0]);
});

test("unknown keys are ignored, and text may be any", () => {
  const decoded = decodeKernels(frame({ ...kernel, dtype: "float16", later: { ü: "<script>" } }, halves));
  assert.equal(decoded.values.length, 4);
});

test("truncated and hostile frames are refused before anything is allocated", () => {
  const good = frame({ ...kernel, dtype: "float16" }, halves);
  for (let length = 0; length < good.byteLength; length++) {
    assert.throws(() => decodeKernels(good.slice(0, length)), /damaged/, `${length} bytes`);
  }
  const huge = good.slice(0);
  new DataView(huge).setUint32(0, 0xffffffff, true);
  assert.throws(() => splitFrame(huge), /claims 4294967295/);
  const odd = good.slice(0);
  new DataView(odd).setUint32(0, new DataView(odd).getUint32(0, true) - 1, true);
  assert.throws(() => splitFrame(odd), /multiple of 8/);
});

test("a description that does not fit its body is refused", () => {
  const bad: [Record<string, unknown>, RegExp][] = [
    [{ shape: [2, 1, 1, 3] }, /6 numbers/],
    [{ shape: [2 ** 31, 2 ** 31] }, /numbers/],
    [{ shape: [-2, 1, 1, -2] }, /"shape"/],
    [{ shape: [2, 1, 1, 2.5] }, /"shape"/],
    [{ shape: "2112" }, /"shape"/],
    [{ shape: [] }, /numbers/],
    [{ dtype: "int8" }, /int8/],
    [{ limits: [1] }, /"limits"/],
    [{ limits: [1, "2"] }, /"limits"/],
    [{ limit: null }, /"limit"/],
    [{ chosen: [0] }, /"chosen"/],
    [{ filters: [0] }, /"filters"/],
  ];
  for (const [change, message] of bad) {
    assert.throws(() => decodeKernels(frame({ ...kernel, dtype: "float16", ...change }, halves)), message);
  }
});

test("a description must be a JSON object", () => {
  for (const head of ["", "nonsense", "[1]", "null", '"text"']) assert.throws(() => splitFrame(frame(head)), /JSON/);
});

const patterns = {
  filters: [0, 7],
  shape: [2, 2, 3],
  start: [0.5, null],
  reached: [8, null],
  failed: [false, true],
  noise: [1, 2],
  natural: [null, 4],
  percentile: [null, 99.5],
  spots: [0, 1],
  recipe: "classic",
  steps: 80,
  input_range: [0, 255],
  lengths: [3, 2],
};

test("patterns: each picture gets its own bytes", async () => {
  const decoded = decodePatterns(frame(patterns, Uint8Array.of(1, 2, 3, 4, 5)));
  const pictures = await Promise.all(
    decoded.pictures.map(async (picture) => [...new Uint8Array(await picture.arrayBuffer())]),
  );
  assert.deepEqual(pictures, [
    [1, 2, 3],
    [4, 5],
  ]);
  assert.ok(decoded.pictures.every((picture) => picture.type === "image/png"));
  assert.deepEqual(
    [
      decoded.start,
      decoded.failed,
      decoded.noise,
      decoded.natural,
      decoded.percentile,
      decoded.spots,
      decoded.input_range,
    ],
    [
      [0.5, null],
      [false, true],
      [1, 2],
      [null, 4],
      [null, 99.5],
      [0, 1],
      [0, 255],
    ],
  );
});

test("patterns: none is an answer", () => {
  const empty = {
    filters: [],
    start: [],
    reached: [],
    failed: [],
    noise: [],
    natural: [],
    percentile: [],
    spots: [],
    lengths: [],
  };
  const none = { ...patterns, ...empty };
  assert.equal(decodePatterns(frame(none)).pictures.length, 0);
});

test("patterns: lengths that lie are refused", () => {
  const body = Uint8Array.of(1, 2, 3, 4, 5);
  for (const change of [
    { lengths: [3, 3] },
    { lengths: [3] },
    { lengths: [6, -1] },
    { failed: [0, 1] },
    { reached: [1] },
    { natural: ["4", 4] },
    { spots: [true, false] },
  ]) {
    assert.throws(() => decodePatterns(frame({ ...patterns, ...change }, body)), /damaged/);
  }
});

test("a comparison: partners, numbers that may be unknown, and both sides", () => {
  const head = {
    partners: [1, -1],
    unpaired: [0],
    changes: [0.5, null],
    cosines: [1, null],
    change: 0.5,
    cosine: null,
    chosen: null,
  };
  const shape = { shape: [2, 2, 1, 1], dtype: "float32" };
  const body = new Uint8Array(new Float32Array([1, 2, 3, Number.NaN]).buffer);
  const found = decodeComparison(frame({ ...head, ...shape }, body));
  assert.deepEqual([...found.values], [1, 2, 3, Number.NaN]);
  assert.deepEqual([found.partners, found.unpaired, found.changes, found.cosine], [[1, -1], [0], [0.5, null], null]);
  assert.throws(() => decodeComparison(frame({ ...head, ...shape, partners: [1, -2] }, body)), /"partners"/);
  assert.throws(() => decodeComparison(frame({ ...head, ...shape, unpaired: [-1] }, body)), /"unpaired"/);
  assert.throws(() => decodeComparison(frame({ ...head, ...shape, shape: [1, 2, 2] }, body)), /1 sides/);
  assert.throws(() => decodeComparison(frame({ ...head, ...shape }, body.subarray(4))), /12 bytes came/);
});
