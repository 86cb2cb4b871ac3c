import assert from "node:assert/strict";
import { test } from "node:test";
import { colourTable, ZERO } from "../src/paint/colormap";
import {
  countBeyond,
  fittingSize,
  type Grid,
  gridOf,
  inView,
  isBeyond,
  nextSize,
  offsetOf,
  paintTiles,
  scaleFor,
  spotAt,
  type Tile,
  tileNumbers,
  tileOf,
  tileWidth,
} from "../src/paint/mosaic";
import { SIZES } from "../src/picks";

const table = colourTable(
  Array.from({ length: 255 }, (_, i) => (i + Number(i >= ZERO)).toString(16).padStart(2, "0").repeat(3)).join(""),
);
const everything = (grid: Grid) => inView(grid, 0, 0, grid.width, grid.height);
/** Level of grey that a number has on a scale of 1. */
const grey = (value: number) => {
  const level = Math.round(127.5 + (127.5 * Math.round(value * ZERO)) / ZERO);
  return ((255 << 24) | (level << 16) | (level << 8) | level) >>> 0;
};

test("a kernel of any number of axes is a tile", () => {
  assert.deepEqual(tileOf([]), { channels: 1, depth: 1, height: 1, width: 1 });
  assert.deepEqual(tileOf([7]), { channels: 1, depth: 1, height: 1, width: 7 });
  assert.deepEqual(tileOf([3, 5]), { channels: 1, depth: 1, height: 3, width: 5 });
  assert.deepEqual(tileOf([2, 3, 5], 3), { channels: 3, depth: 2, height: 3, width: 5 });
});

test("tiles fill rows; a last row may be short", () => {
  const grid = gridOf(tileOf([3, 3]), 7, 10, 2, 100);
  assert.deepEqual([grid.perRow, grid.rows, grid.width, grid.height], [3, 3, 94, 94]);
  assert.deepEqual(spotAt(grid, tileOf([3, 3]), 0, 70)?.tile, 6);
  assert.equal(spotAt(grid, tileOf([3, 3]), 40, 70), null, "beyond the last tile");
  assert.equal(spotAt(grid, tileOf([3, 3]), 31, 5), null, "in a gap");
});

test("there is one column at least, and never more than tiles", () => {
  assert.equal(gridOf(tileOf([3, 3]), 9, 10, 2, 5).perRow, 1);
  assert.equal(gridOf(tileOf([3, 3]), 2, 10, 2, 1000).perRow, 2);
  const empty = gridOf(tileOf([3, 3]), 0, 10, 2, 1000);
  assert.deepEqual([empty.rows, empty.height], [0, 0]);
});

test("a fixed number of columns holds, however wide", () => {
  const grid = gridOf(tileOf([3, 3]), 512 * 512, 1, 0, 900, 512);
  assert.deepEqual([grid.perRow, grid.rows, grid.width, grid.height], [512, 512, 1536, 1536]);
});

test("weights are enlarged by whole numbers only", () => {
  assert.equal(scaleFor(tileOf([5, 5]), 48), 9);
  assert.equal(scaleFor(tileOf([1, 7]), 48), 6);
  assert.equal(scaleFor(tileOf([16, 16]), 8), 0.5);
});

test("zooming reaches the largest and the smallest size, and each turn is seen", () => {
  for (const ratio of [0.7, 1, 1.1, 1.100000023841858, 1.25, 1.5, 1.75, 2, 3]) {
    for (const side of [1, 3, 5, 7, 11, 63]) {
      for (const sizes of [SIZES.tile, SIZES.zoom]) {
        const [least, most] = sizes;
        const scaleAt = (size: number) => scaleFor(tileOf([side, side]), size * ratio);
        for (const [by, from, to] of [
          [1, least, most],
          [-1, most, least],
        ] as const) {
          let size: number = from;
          for (let turn = 0; size !== to; turn++) {
            const name = `${side} numbers of ${size} pixels at ratio ${ratio}, by ${by}`;
            const unit = side / ratio;
            const next = nextSize(by, scaleAt(size) * unit, unit, sizes);
            const seen = by * (scaleAt(next) - scaleAt(size));
            assert.ok(seen > 0 || (scaleAt(size) === scaleAt(to) && next === to), name);
            if (by < 0 && size > 2 && next !== to) assert.ok(next > size / 2 - unit, name);
            assert.ok(turn < 50, name);
            size = next;
          }
        }
      }
    }
  }
});

test("the fitting size is the largest with which all tiles can be seen", () => {
  const tile = tileOf([3, 3]);
  const box = { width: 900, height: 600 };
  const size = fittingSize(tile, 512, 3, box, 8, 96);
  const heightAt = (one: number) => gridOf(tile, 512, scaleFor(tile, one), 3, box.width).height;
  assert.ok(heightAt(size) <= 600);
  assert.ok(heightAt(size + 1) > 600);
  assert.equal(fittingSize(tile, 100_000, 3, box, 8, 96), 8);
});

test("every number is painted where the pointer finds it", () => {
  for (const tile of [tileOf([]), tileOf([7]), tileOf([3, 5]), tileOf([3, 2, 4])]) {
    const count = 11;
    const grid = gridOf(tile, count, 4, 3, 4 * tileWidth(tile) * 4);
    const values = Float32Array.from({ length: count * tileNumbers(tile) }, (_, i) => ((i * 37) % 255) / 127 - 1);
    const range = everything(grid);
    const pixels = paintTiles(values, tile, grid, range, () => 1, table);
    const stride = grid.perRow * tileWidth(tile);
    let found = 0;
    for (let y = 0; y < grid.height; y++) {
      for (let x = 0; x < grid.width; x++) {
        const spot = spotAt(grid, tile, x, y);
        if (!spot) continue;
        const row = Math.floor(spot.tile / grid.perRow) * tile.height + spot.row;
        const column = (spot.tile % grid.perRow) * tileWidth(tile) + spot.depth * tile.width + spot.column;
        assert.equal(pixels[row * stride + column], grey(values[offsetOf(tile, spot)] as number));
        found++;
      }
    }
    assert.equal(found, values.length * 4 * 4);
  }
});

test("depth slices stand side by side", () => {
  const tile: Tile = { channels: 1, depth: 2, height: 2, width: 2 };
  const values = Float32Array.of(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7);
  const grid = gridOf(tile, 1, 1, 0, 100);
  const pixels = paintTiles(values, tile, grid, everything(grid), () => 1, table);
  assert.deepEqual([...pixels], [0, 0.1, 0.4, 0.5, 0.2, 0.3, 0.6, 0.7].map(grey));
});

test("only what is in view is painted", () => {
  const tile = tileOf([3, 3]);
  const grid = gridOf(tile, 100, 10, 0, 0, 10);
  const range = inView(grid, 35, 65, 50, 20);
  assert.deepEqual(range, { row0: 2, row1: 3, column0: 1, column1: 3 });
  const values = Float32Array.from({ length: 900 }, (_, i) => (Math.floor(i / 9) === 21 ? 1 : -1));
  const pixels = paintTiles(values, tile, grid, range, () => 1, table);
  assert.equal(pixels.length, 2 * 3 * 3);
  assert.equal(pixels[0], grey(1));
  assert.equal(pixels[3], grey(-1));
  assert.deepEqual(inView(grid, -50, 1e9, 10, 10), { row0: 10, row1: 10, column0: 0, column1: 0 });
});

test("each tile has its own scale; what is not finite is transparent", () => {
  const tile = tileOf([1, 3]);
  const grid = gridOf(tile, 2, 1, 0, 100);
  const values = Float32Array.of(0.5, Number.NaN, 0, 0.5, Number.NEGATIVE_INFINITY, -4);
  const pixels = paintTiles(values, tile, grid, everything(grid), (index) => [0.5, 4][index] as number, table);
  assert.deepEqual([...pixels], [grey(1), 0, grey(0), grey(0.125), 0, grey(-1)]);
});

test("RGB: planes become colours, zero is mid grey, one bad plane hides the pixel", () => {
  const tile = tileOf([1, 2], 3);
  const grid = gridOf(tile, 1, 1, 0, 100);
  const pixels = paintTiles(Float32Array.of(1, 0, 0, 0, -1, 0), tile, grid, everything(grid), () => 1, table);
  const bytes = [...new Uint8Array(pixels.buffer)];
  assert.deepEqual(bytes, [255, 128, 1, 255, 128, 128, 128, 255]);
  const bad = paintTiles(Float32Array.of(1, 0, Number.NaN, 0, 0, 0), tile, grid, everything(grid), () => 1, table);
  assert.equal(bad[0], 0);
  assert.notEqual(bad[1], 0);
});

test("numbers beyond a scale are counted, those that are not finite are not", () => {
  const values = Float32Array.of(0.1, -0.2, 0.3, Number.NaN, Number.POSITIVE_INFINITY);
  assert.equal(countBeyond(values, 0.15), 2);
  assert.ok(!isBeyond(Math.fround(0.3), 0.3), "rounding is no clipping");
});
