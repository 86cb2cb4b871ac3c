/**
 * Many small pictures as one: where each tile lies, and the pixels of the tiles in view.
 *
 * A *tile* is one picture (a filter, or one slice of it) of `channels * depth * height * width` numbers in C order.
 * Depth slices stand side by side. Only tiles in view are coloured, at one pixel a number; the canvas then enlarges
 * that picture. All lengths here are device pixels.
 */
import { clamp } from "../format";
import { colourIndex, perUnit, ZERO } from "./colormap";

export interface Tile {
  readonly channels: 1 | 3;
  readonly depth: number;
  readonly height: number;
  readonly width: number;
}

/** The tile of a kernel's spatial axes: none, one, two or three numbers. */
export function tileOf(spatial: readonly number[], channels: 1 | 3 = 1): Tile {
  const [width = 1, height = 1, depth = 1] = [...spatial].reverse();
  return { channels, depth, height, width };
}

/** How many numbers a tile has, and how many pixels it is wide. */
export const tileNumbers = (tile: Tile): number => tile.channels * tile.depth * tile.height * tile.width;
export const tileWidth = (tile: Tile): number => tile.depth * tile.width;

export interface Grid {
  readonly count: number;
  readonly perRow: number;
  readonly rows: number;
  /** Device pixels a number. A whole number unless tiles are shown smaller than they are. */
  readonly scale: number;
  readonly gap: number;
  /** Distance from one tile to the next. */
  readonly pitchX: number;
  readonly pitchY: number;
  /** Size of the whole. */
  readonly width: number;
  readonly height: number;
}

/** Below this many pixels a number, a screen could hold more numbers than can be coloured in a moment. */
const SMALLEST_SCALE = 0.25;

/** More than what is lost where a size is divided by a fraction, as of devices' pixels, and multiplied again. */
const SLIP = 1e-6;

/** Device pixels a number, for tiles about `size` pixels large. Whole numbers keep every weight equally large. */
export function scaleFor(tile: Tile, size: number): number {
  const exact = size / Math.max(tile.height, tile.width);
  return exact >= 1 ? Math.floor(exact + SLIP) : Math.max(SMALLEST_SCALE, exact);
}

/**
 * The next size of tiles, larger (1) or smaller (-1), in whole CSS pixels.
 *
 * Rounded up, it holds at least the pixels a number that it is meant for; a step of a pixel or more is left one by that.
 *
 * @param size - The size that tiles have.
 * @param unit - A smaller change of it would not be seen.
 */
export function nextSize(by: number, size: number, unit: number, [least, most]: readonly [number, number]): number {
  return clamp(least, Math.ceil(size + by * Math.max(1, unit, size / 4) - SLIP), most);
}

/**
 * Lays tiles out in reading order.
 *
 * @param available - Pixels across; without `columns`, as many columns as fit (one at least).
 * @param columns - A fixed number of columns, wider than `available` if need be.
 * @param caption - Pixels below each tile, for a line of text.
 */
export function gridOf(
  tile: Tile,
  count: number,
  scale: number,
  gap: number,
  available: number,
  columns = 0,
  caption = 0,
): Grid {
  const pitchX = tileWidth(tile) * scale + gap;
  const pitchY = tile.height * scale + caption + gap;
  const fitting = Math.max(1, Math.floor((available + gap) / pitchX));
  const used = columns || clamp(1, fitting, count);
  const rows = Math.ceil(count / used);
  return {
    count,
    perRow: used,
    rows,
    scale,
    gap,
    pitchX,
    pitchY,
    width: Math.max(0, used * pitchX - gap),
    height: Math.max(0, rows * pitchY - gap),
  };
}

/** The largest tile size in `smallest..largest` with which `count` tiles fit into a box; `smallest` if none does. */
export function fittingSize(
  tile: Tile,
  count: number,
  gap: number,
  box: { width: number; height: number },
  smallest: number,
  largest: number,
  caption = 0,
): number {
  for (let size = largest; size > smallest; size--) {
    const grid = gridOf(tile, count, scaleFor(tile, size), gap, box.width, 0, caption);
    if (grid.height <= box.height && grid.width <= box.width) return size;
  }
  return smallest;
}

/** Half-open ranges of tile rows and columns. */
export interface Range {
  readonly row0: number;
  readonly row1: number;
  readonly column0: number;
  readonly column1: number;
}

/** The tiles that a window onto the grid touches. */
export function inView(grid: Grid, x: number, y: number, width: number, height: number): Range {
  return {
    row0: clamp(0, Math.floor(y / grid.pitchY), grid.rows),
    row1: clamp(0, Math.ceil((y + height) / grid.pitchY), grid.rows),
    column0: clamp(0, Math.floor(x / grid.pitchX), grid.perRow),
    column1: clamp(0, Math.ceil((x + width) / grid.pitchX), grid.perRow),
  };
}

/** A number of a tile, as found under the pointer. */
export interface Spot {
  readonly tile: number;
  readonly depth: number;
  readonly row: number;
  readonly column: number;
}

/** What lies at a point of the grid, or null for gaps and beyond the last tile. */
export function spotAt(grid: Grid, tile: Tile, x: number, y: number): Spot | null {
  const column = Math.floor(x / grid.pitchX);
  const row = Math.floor(y / grid.pitchY);
  const index = row * grid.perRow + column;
  const across = Math.floor((x - column * grid.pitchX) / grid.scale);
  const down = Math.floor((y - row * grid.pitchY) / grid.scale);
  if (x < 0 || y < 0 || column >= grid.perRow || index >= grid.count) return null;
  if (across >= tileWidth(tile) || down >= tile.height) return null;
  return { tile: index, depth: Math.floor(across / tile.width), row: down, column: across % tile.width };
}

/** Position of a spot's number among all numbers, for one channel. */
export function offsetOf(tile: Tile, spot: Spot, channel = 0): number {
  const picture = (channel * tile.depth + spot.depth) * tile.height + spot.row;
  return spot.tile * tileNumbers(tile) + picture * tile.width + spot.column;
}

/** The limit of each tile's scale. */
export type LimitOf = (tile: number) => number;

/**
 * Colours the tiles in view, one pixel a number, packed RGBA, without gaps between tiles.
 *
 * @param values - `[tiles][channels][depth][height][width]`.
 * @param table - Colours of one-channel tiles. Three channels are red, green and blue themselves, 0 is mid grey.
 * @returns Row-major pixels, `(column1 - column0) * tileWidth` across. Numbers that are not finite, and places
 *   beyond the last tile, are transparent.
 */
export function paintTiles(
  values: Float32Array,
  tile: Tile,
  grid: Grid,
  range: Range,
  limitOf: LimitOf,
  table: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const across = tileWidth(tile);
  const stride = (range.column1 - range.column0) * across;
  const pixels = new Uint32Array(stride * (range.row1 - range.row0) * tile.height);
  const numbers = tileNumbers(tile);
  const draw = tile.channels === 3 ? paintRgb : paintSigned;
  for (let row = range.row0; row < range.row1; row++) {
    for (let column = range.column0; column < range.column1; column++) {
      const index = row * grid.perRow + column;
      if (index >= grid.count) break;
      const to = (row - range.row0) * tile.height * stride + (column - range.column0) * across;
      draw(values, index * numbers, tile, pixels, to, stride, perUnit(limitOf(index)), table);
    }
  }
  return pixels;
}

function paintSigned(
  values: Float32Array,
  from: number,
  tile: Tile,
  pixels: Uint32Array,
  to: number,
  stride: number,
  unit: number,
  table: Uint32Array,
): void {
  let source = from;
  for (let depth = 0; depth < tile.depth; depth++) {
    for (let y = 0; y < tile.height; y++) {
      const start = to + y * stride + depth * tile.width;
      for (let x = 0; x < tile.width; x++) {
        pixels[start + x] = table[colourIndex(values[source++] as number, unit)] as number;
      }
    }
  }
}

function paintRgb(
  values: Float32Array,
  from: number,
  tile: Tile,
  pixels: Uint32Array,
  to: number,
  stride: number,
  unit: number,
): void {
  const plane = tile.depth * tile.height * tile.width;
  const level = (value: number) => 128 + Math.max(-ZERO, Math.min(ZERO, Math.round(value * unit)));
  let source = from;
  for (let depth = 0; depth < tile.depth; depth++) {
    for (let y = 0; y < tile.height; y++) {
      const start = to + y * stride + depth * tile.width;
      for (let x = 0; x < tile.width; x++, source++) {
        const red = values[source] as number;
        const green = values[source + plane] as number;
        const blue = values[source + 2 * plane] as number;
        if (Number.isFinite(red + green + blue)) {
          pixels[start + x] = ((255 << 24) | (level(blue) << 16) | (level(green) << 8) | level(red)) >>> 0;
        }
      }
    }
  }
}

/** How many finite numbers lie beyond `-limit .. limit`. */
export function countBeyond(values: Float32Array, limit: number): number {
  let count = 0;
  for (const value of values) if (isBeyond(value, limit)) count++;
  return count;
}

/** Whether a finite number lies beyond `-limit .. limit`; a little slack forgives the rounding of `limit` itself. */
export function isBeyond(value: number, limit: number): boolean {
  return Math.abs(value) > limit * (1 + 1e-6) && Number.isFinite(value);
}
