/** Ctrl with the wheel makes tiles larger and smaller around the pointer, `+` and `-` around the cursor. */
import { useRef } from "preact/hooks";
import { clamp } from "../format";
import { nextSize } from "../paint/mosaic";
import { SIZES } from "../picks";
import { pick, picks } from "../state";

/** So far a wheel turns for the next size; two fingers turn it little by little. */
const TURN = 50;

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * @param size - What size tiles have, in CSS pixels.
 * @param unit - A smaller change of it would not be seen.
 * @param boxOf - Where a tile lies in what scrolls.
 */
export function useZoom(
  view: { readonly current: HTMLElement | null },
  key: keyof typeof SIZES,
  size: number,
  unit: number,
  count: number,
  boxOf: (index: number) => Box,
) {
  const turned = useRef(0);
  /** Scrolls so that what lay under a place lies there again. */
  const kept = useRef<((boxNow: typeof boxOf) => void) | null>(null);
  /** Makes tiles larger (1) or smaller (-1) around a place of what scrolls. */
  const zoom = (by: number, x: number, y: number) => {
    const next = nextSize(by, size, unit, SIZES[key]);
    if (next === picks()[key] || (by > 0 && size >= SIZES[key][1])) return;
    let index = count;
    let box: Box;
    do box = boxOf(--index);
    while (index > 0 && (box.left > x || box.top > y));
    const across = (x - box.left) / box.width;
    const down = (y - box.top) / box.height;
    const element = view.current as HTMLElement;
    const { scrollLeft, scrollTop } = element;
    kept.current = (boxNow) => {
      const { left, top, width, height } = boxNow(index);
      element.scrollTo(scrollLeft + left + across * width - x, scrollTop + top + down * height - y);
    };
    pick({ [key]: next });
  };
  /** Scrolls a tile into sight. */
  const show = (index: number): void => {
    const element = view.current as HTMLElement;
    const { left, top, width, height } = boxOf(index);
    element.scrollTo(
      clamp(left + width - element.clientWidth, element.scrollLeft, left),
      clamp(top + height - element.clientHeight, element.scrollTop, top),
    );
  };
  const onWheel = (event: WheelEvent): void => {
    if (!event.ctrlKey || !count) return;
    event.preventDefault();
    turned.current += event.deltaY;
    if (Math.abs(turned.current) < TURN) return;
    const element = view.current as HTMLElement;
    const { left, top } = element.getBoundingClientRect();
    const by = -Math.sign(turned.current);
    zoom(by, event.clientX - left + element.scrollLeft, event.clientY - top + element.scrollTop);
    turned.current = 0;
  };
  /** Whether a key is one of these two. */
  const onKey = (name: string, index: number): boolean => {
    if (!/^[-+=]$/.test(name)) return false;
    show(index);
    const { left, top, width, height } = boxOf(index);
    zoom(name === "-" ? -1 : 1, left + width / 2, top + height / 2);
    return true;
  };
  /** What is to be called when the tiles have their new size. */
  const keep = (): void => {
    kept.current?.(boxOf);
    kept.current = null;
  };
  return [show, onWheel, onKey, keep] as const;
}
