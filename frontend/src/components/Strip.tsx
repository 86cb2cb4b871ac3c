/** A row of small pictures on one canvas. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { gridOf, type LimitOf, scaleFor, spotAt, type Tile } from "../paint/mosaic";
import { dark, table } from "../state";
import { draw } from "./draw";

interface StripProps {
  /** null until there is something to draw: the place is kept. */
  readonly values: Float32Array | null;
  readonly tile: Tile;
  readonly count: number;
  /** Height of a picture in CSS pixels. */
  readonly size: number;
  readonly limitOf: LimitOf;
  /** Whether some numbers are not finite. */
  readonly hatched: boolean;
  readonly label: string;
  /** What stands below the pictures. */
  readonly captions?: readonly string[];
  readonly onPick?: (at: number) => void;
}

export function Strip({ values, tile, count, size, limitOf, hatched, label, captions = [], onPick }: StripProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ratio = window.devicePixelRatio;
  const grid = gridOf(
    tile,
    count,
    scaleFor(tile, size * ratio),
    Math.round(2 * ratio),
    0,
    count,
    captions.length && 14 * ratio,
  );
  useLayoutEffect(() => {
    if (!canvas.current || !count || !values) return;
    const whole = { x: 0, y: 0, width: Math.ceil(grid.width), height: Math.ceil(grid.height) };
    const scene = { values, tile, grid, limitOf, hatched, beyond: null, captionOf: (i: number) => captions[i] ?? "" };
    draw(canvas.current, scene, whole);
    performance.mark("filterviz:drawn");
  }, [values, count, size, table(), dark()]);
  return (
    <canvas
      ref={canvas}
      class="strip"
      role="img"
      aria-label={label}
      style={`width:${grid.width / ratio}px;height:${grid.height / ratio}px`}
      onClick={(event) => {
        const spot = spotAt(grid, tile, event.offsetX * ratio, event.offsetY * ratio);
        if (spot) onPick?.(spot.tile);
      }}
    />
  );
}
