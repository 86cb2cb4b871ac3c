/** A scrolling canvas of tiles, with a cursor for mouse and keyboard. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { clamp, dimmed } from "../format";
import { isMarking, isModified, moveCursor } from "../keys";
import { fittingSize, type Grid, gridOf, type Spot, scaleFor, spotAt, tileWidth } from "../paint/mosaic";
import { SIZES } from "../picks";
import { dark, picks, table } from "../state";
import { draw, type Scene } from "./draw";
import { useFocusPassing, useName } from "./focus";
import { useResize } from "./pane";
import { type Box, useZoom } from "./zoom";

export interface MosaicProps extends Omit<Scene, "grid" | "values"> {
  readonly count: number;
  /** A fixed number of columns, whose tiles touch; 0: as many as fit, with gaps. */
  readonly perRow: number;
  /** How large tiles may be in CSS pixels where what fits was picked. */
  readonly largest: number;
  /** Greatest height in CSS pixels; what is higher scrolls. */
  readonly maxHeight: number;
  /** null until there is something to draw: the place is kept. */
  readonly values: Float32Array | null;
  /** Names the values drawn: a change of it is a picture drawn for the first time. */
  readonly drawnKey: string;
  readonly stale: boolean;
  readonly label: string;
  /** What to say of a tile. */
  readonly describe: (tile: number) => string;
  readonly cursor: number;
  readonly onCursor: (tile: number) => void;
  readonly onOpen: ((tile: number) => void) | null;
  readonly onSpot: (spot: Spot | null) => void;
  /** The tile under the pointer, here or in a picture that is linked; -1: none. */
  readonly pointed: number;
  /** Tiles that are marked, and what marks one more; null: none can be. */
  readonly marked?: readonly number[];
  readonly onMark?: ((tile: number) => void) | null;
  /** Of linked pictures one alone tells where the cursor is. */
  readonly silent?: boolean;
}

const GAP = 3;
/** Height of a caption, and the smallest tile that has room for one, in CSS pixels. */
const CAPTION = 16;
const SMALLEST_WITH_CAPTION = 48;
/** What does not scroll is seen whole. */
const STILL = { scrollLeft: 0, scrollTop: 0, clientWidth: Infinity, clientHeight: Infinity };

function layOut(props: MosaicProps, size: number, width: number, ratio: number): Grid {
  const { tile, count, perRow, largest, maxHeight } = props;
  const available = width * ratio;
  if (perRow) {
    const fitting = (available / perRow / tileWidth(tile)) * Math.max(tile.height, tile.width);
    return gridOf(tile, count, scaleFor(tile, size * ratio || fitting), 0, available, perRow);
  }
  const gap = Math.round(GAP * ratio);
  const box = { width: available, height: maxHeight * ratio };
  const caption = props.captionOf ? Math.round(CAPTION * ratio) : 0;
  const smallest = props.captionOf ? SMALLEST_WITH_CAPTION : SIZES.tile[0];
  const used = size * ratio || fittingSize(tile, count, gap, box, smallest * ratio, largest * ratio, caption);
  return gridOf(tile, count, scaleFor(tile, used), gap, available, 0, caption);
}

const styleOf = ({ left, top, width, height }: Box): string =>
  `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;

export function Mosaic(props: MosaicProps) {
  const { tile, count, perRow, values, maxHeight, onCursor, describe, onOpen, onSpot, pointed, onMark } = props;
  const view = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef("");
  const id = useName();
  useFocusPassing(view);
  const [width, setWidth] = useState(0);
  const ratio = window.devicePixelRatio;

  useResize(view, ({ clientWidth }) => setWidth(clientWidth));

  const sizeKey = perRow ? "zoom" : "tile";
  const size = picks()[sizeKey];
  const grid = layOut(props, size, width, ratio);
  const at = clamp(0, props.cursor, count - 1);
  /** Where a tile lies, in CSS pixels. */
  const boxOf = (index: number): Box => ({
    left: ((index % grid.perRow) * grid.pitchX) / ratio,
    top: (Math.floor(index / grid.perRow) * grid.pitchY) / ratio,
    width: (grid.pitchX - grid.gap) / ratio,
    height: (grid.pitchY - grid.gap) / ratio,
  });
  // A pixel more for each number at least: tiles of fewer pixels would look the same.
  const unit = Math.max(tile.width, tile.height) / ratio;
  const [show, onWheel, onKey, keep] = useZoom(view, sizeKey, grid.scale * unit, unit, count, boxOf);

  const paint = () => {
    const element = view.current;
    const target = canvas.current;
    if (!element || !target || !values || !width) return;
    keep();
    // To ask where an element stands makes the browser lay out the page: only where something scrolls.
    const scrolls = grid.width > width * ratio || grid.height > maxHeight * ratio;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = scrolls ? element : STILL;
    const part = {
      x: Math.round(scrollLeft * ratio),
      y: Math.round(scrollTop * ratio),
      width: Math.max(1, Math.round(Math.min(grid.width, clientWidth * ratio))),
      height: Math.max(1, Math.round(Math.min(grid.height, clientHeight * ratio))),
    };
    const start = performance.now();
    draw(target, { ...props, values, grid }, part);
    performance.measure("filterviz:paint", { start });
    target.style.width = `${part.width / ratio}px`;
    if (drawn.current !== props.drawnKey) performance.mark("filterviz:drawn");
    drawn.current = props.drawnKey;
  };
  // Hovering and moving the cursor must not paint again: they are boxes above the canvas.
  const { limitOf, beyond, drawnKey } = props;
  const colours = [table(), dark()];
  useLayoutEffect(paint, [values, width, maxHeight, size, limitOf, beyond, count, perRow, drawnKey, ...colours]);

  const spotUnder = (event: MouseEvent): Spot | null => {
    const frame = canvas.current?.getBoundingClientRect();
    if (!view.current || !frame) return null;
    const x = event.clientX - frame.left + view.current.scrollLeft;
    const y = event.clientY - frame.top + view.current.scrollTop;
    return spotAt(grid, tile, x * ratio, y * ratio);
  };
  const onClick = (event: MouseEvent) => {
    const spot = spotUnder(event);
    if (!spot) return;
    onCursor(spot.tile);
    if (onMark && isMarking(event)) onMark(spot.tile);
    else onOpen?.(spot.tile);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const element = view.current;
    if (!element || isModified(event)) return;
    const to = moveCursor(event.key, at, grid, Math.floor((element.clientHeight * ratio) / grid.pitchY));
    if (to !== null) {
      onCursor(to);
      show(to);
    } else if (event.key === "Enter" && onOpen) {
      onOpen(at);
    } else if (event.key === " " && onMark) {
      onMark(at);
    } else if (!onKey(event.key, at)) {
      return;
    }
    event.preventDefault();
  };

  return (
    <div
      ref={view}
      class={dimmed(props.stale, "mosaic")}
      style={`max-height:${maxHeight}px;overflow-y:${grid.height / ratio > maxHeight ? "scroll" : "hidden"}`}
      role="listbox"
      aria-multiselectable={!!onMark}
      tabIndex={0}
      aria-label={props.label}
      aria-activedescendant={id}
      data-testid="mosaic"
      onScroll={paint}
      onKeyDown={onKeyDown}
      onWheel={onWheel}
      onPointerMove={(event) => onSpot(spotUnder(event))}
      onPointerLeave={() => onSpot(null)}
      onClick={onClick}
    >
      <div class="whole" style={styleOf({ left: 0, top: 0, width: grid.width / ratio, height: grid.height / ratio })}>
        <canvas ref={canvas} data-testid="grid-canvas" />
        {props.marked?.map((index) => (
          <div key={index} class="marked" style={styleOf(boxOf(index))} />
        ))}
        {pointed >= 0 && pointed < count && <div class="hover" style={styleOf(boxOf(pointed))} />}
        <div
          id={id}
          class="cursor"
          style={styleOf(boxOf(at))}
          role="option"
          tabIndex={-1}
          aria-selected={onMark ? !!props.marked?.includes(at) : true}
          aria-live={props.silent ? "off" : "polite"}
          aria-label={describe(at)}
        />
      </div>
    </div>
  );
}
