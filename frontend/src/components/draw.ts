/** Draws the part of a mosaic that is in view onto its canvas. */
import {
  type Grid,
  inView,
  isBeyond,
  type LimitOf,
  paintTiles,
  type Range,
  type Tile,
  tileNumbers,
  tileWidth,
} from "../paint/mosaic";
import { dark, table } from "../state";

export interface Scene {
  readonly values: Float32Array;
  readonly tile: Tile;
  readonly grid: Grid;
  readonly limitOf: LimitOf;
  /** Whether some numbers are not finite. */
  readonly hatched: boolean;
  /** Marks numbers beyond this fixed limit; null where there are none. */
  readonly beyond: number | null;
  /** A line of text below each tile. */
  readonly captionOf?: ((tile: number) => string) | null;
}

/** A window onto the grid, in device pixels. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** From this many pixels a number on, there is room for lines and marks. */
const ROOMY = 6;
/** A caption narrower than this many CSS pixels cannot be read. */
const NARROWEST_CAPTION = 24;

const sheets = new Map<string, HTMLCanvasElement>();

/** A canvas that is never shown, of the given size; there is one of each name. */
function sheet(name: string, width: number, height: number): CanvasRenderingContext2D | null {
  const canvas = sheets.get(name) ?? document.createElement("canvas");
  sheets.set(name, canvas);
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext("2d");
}

/** Diagonal stripes, the mark of numbers that are not finite. */
function stripes(context: CanvasRenderingContext2D): CanvasPattern | string {
  const small = sheet("stripes", 8, 8);
  if (!small) return "";
  small.fillStyle = "#fff";
  small.fillRect(0, 0, 8, 8);
  small.strokeStyle = "#c2185b";
  small.lineWidth = 2.5;
  for (const shift of [-8, 0, 8]) {
    small.moveTo(shift - 1, 9);
    small.lineTo(shift + 9, -1);
  }
  small.stroke();
  return context.createPattern(small.canvas, "repeat") ?? "";
}

/**
 * Draws what a window onto the mosaic shows.
 *
 * @param view - It becomes the size of the canvas.
 */
export function draw(canvas: HTMLCanvasElement, scene: Scene, view: View): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  canvas.width = view.width; // Clears it, too.
  canvas.height = view.height;
  const { grid, tile, hatched, beyond } = scene;
  const range = inView(grid, view.x, view.y, view.width, view.height);
  const width = tileWidth(tile) * grid.scale;
  const height = tile.height * grid.scale;
  const slice = tile.width * grid.scale;

  const eachTile = (act: (index: number, x: number, y: number) => void) => {
    for (let row = range.row0; row < range.row1; row++) {
      for (let column = range.column0; column < range.column1; column++) {
        const index = row * grid.perRow + column;
        if (index < grid.count) act(index, column * grid.pitchX - view.x, row * grid.pitchY - view.y);
      }
    }
  };

  if (hatched) {
    context.fillStyle = stripes(context);
    eachTile((_, x, y) => context.fillRect(x, y, width, height));
  }
  const pixels = paintPixels(scene, range);
  context.imageSmoothingEnabled = grid.scale < 1;
  if (pixels && grid.gap === 0) {
    const x = range.column0 * grid.pitchX - view.x;
    const y = range.row0 * grid.pitchY - view.y;
    context.drawImage(pixels, x, y, pixels.width * grid.scale, pixels.height * grid.scale);
  } else if (pixels) {
    const across = tileWidth(tile);
    eachTile((index, x, y) => {
      const fromX = ((index % grid.perRow) - range.column0) * across;
      const fromY = (Math.floor(index / grid.perRow) - range.row0) * tile.height;
      context.drawImage(pixels, fromX, fromY, across, tile.height, x, y, width, height);
    });
  }
  const { captionOf } = scene;
  if (captionOf && width >= NARROWEST_CAPTION * devicePixelRatio) {
    const { color, fontFamily } = getComputedStyle(canvas);
    context.fillStyle = color;
    context.font = `${11 * devicePixelRatio}px ${fontFamily}`;
    context.textBaseline = "top";
    eachTile((index, x, y) => context.fillText(captionOf(index), x, y + height + devicePixelRatio, width));
  }
  if (grid.scale < ROOMY) return;
  // Lines between tiles that touch, and between the depth slices of a tile.
  context.fillStyle = dark() ? "#303030" : "#fff";
  eachTile((_, x, y) => {
    for (let depth = grid.gap ? 1 : 0; depth < tile.depth; depth++) context.fillRect(x + depth * slice, y, 1, height);
    if (!grid.gap) context.fillRect(x, y, width, 1);
  });
  if (beyond !== null) {
    context.fillStyle = "#ffd54f";
    eachTile((index, x, y) => markBeyond(context, scene, beyond, index, x, y));
    context.fill();
    context.stroke();
  }
}

/** The tiles of a range at one pixel a number. */
function paintPixels({ values, tile, grid, limitOf }: Scene, range: Range): HTMLCanvasElement | null {
  const width = (range.column1 - range.column0) * tileWidth(tile);
  const height = (range.row1 - range.row0) * tile.height;
  const context = width && height ? sheet("pixels", width, height) : null;
  const pixels = paintTiles(values, tile, grid, range, limitOf, table());
  context?.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
  return context?.canvas ?? null;
}

/** Adds a dot to the context's path for each number of a tile beyond the scale. */
function markBeyond(
  context: CanvasRenderingContext2D,
  { values, tile, grid }: Scene,
  limit: number,
  index: number,
  x: number,
  y: number,
): void {
  const numbers = tileNumbers(tile);
  const radius = grid.scale / 7;
  for (let i = 0; i < numbers; i++) {
    if (!isBeyond(values[index * numbers + i] as number, limit)) continue;
    const row = Math.floor(i / tile.width) % tile.height;
    const depth = Math.floor(i / tile.width / tile.height) % tile.depth;
    const centreX = x + (depth * tile.width + (i % tile.width) + 0.5) * grid.scale;
    const centreY = y + (row + 0.5) * grid.scale;
    context.moveTo(centreX + radius, centreY);
    context.arc(centreX, centreY, radius, 0, 7);
  }
}
