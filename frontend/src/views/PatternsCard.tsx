/** The patterns of a layer, in one run, at one step; each under its kernel, where both are wanted. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { analysisUrl, type Datum, kernelsUrl, patternsUrl } from "../api";
import { useArranged, withPattern } from "../components/arranged";
import { Card, ErrorText } from "../components/Card";
import { useFocusPassing, useName } from "../components/focus";
import { Legend } from "../components/Legend";
import { Activation, PatternPicture } from "../components/PatternPicture";
import { Strip } from "../components/Strip";
import { useZoom } from "../components/zoom";
import { clamp, dimmed, plural } from "../format";
import type { KernelFrame, PatternFrame } from "../frames";
import { isMarking, isModified, moveCursor } from "../keys";
import { onePicture, resolveInput, type Series, spatialOf } from "../model";
import { type Tile, tileNumbers, tileOf } from "../paint/mosaic";
import { useAnalysis, useKernels, usePatterns } from "../resource";
import { cursor, datumOf, isBoth, layer, openFilter, picks, toggleMark } from "../state";

/** The narrowest place of a picture, which its caption needs. */
const NARROWEST = 64;
/** Smallest and largest size of a picture unasked: its own, within these. */
const OWN_SIZE = [96, 160] as const;
const ROWS_PER_PAGE = 3;

interface PatternsCardProps {
  readonly run: string;
  readonly series: Series;
  readonly kernel: Series | null;
  readonly maxHeight: number;
}

export function PatternsCard({ run, series, kernel, maxHeight }: PatternsCardProps) {
  const weights = datumOf(run, kernel);
  return (
    <Card run={run} series={series} notes={<i>{plural(series.filters, "pattern")}</i>}>
      {(at) => <Patterns datum={{ run, series, at }} weights={weights} maxHeight={maxHeight} />}
    </Card>
  );
}

interface PatternsProps {
  readonly datum: Datum;
  /** The kernel at this step. */
  readonly weights: Datum | null;
  readonly maxHeight: number;
}

function Patterns({ datum, weights, maxHeight }: PatternsProps) {
  const { value: frame, stale, error } = usePatterns(patternsUrl(datum, "all"));
  const stored = useAnalysis(weights && analysisUrl(weights));
  const arranged = useArranged(weights, stored, datum.run);
  const one = weights && onePicture(resolveInput(weights.series, picks().input));
  const under = isBoth() && weights && one !== null;
  const kernels = useKernels(under ? kernelsUrl(weights, "all", one) : null);
  const tile = tileOf(weights ? spatialOf(weights.series) : [], one === "rgb" ? 3 : 1);
  const kernel = kernels.value?.limits.length === weights?.series.filters ? kernels.value : null;
  const trouble = error || kernels.error || arranged.error;
  const shown = frame && withPattern(arranged.order, frame);
  return (
    <>
      <ErrorText>{trouble}</ErrorText>
      {shown && (
        <div class={dimmed(stale || kernels.stale || arranged.stale)}>
          <Pictures
            frame={frame}
            filters={shown}
            under={!!under && !kernels.error}
            kernel={kernel}
            tile={tile}
            maxHeight={maxHeight}
          />
          {arranged.order && (
            <p class="legend" data-testid="found">
              {shown.length} of {plural(frame.filters.length, "pattern")}
            </p>
          )}
          {kernel && (
            <div class="below">
              <Legend limit={limitOf(kernel, null)} rgb={one === "rgb"} nonfinite={kernel.nonfinite} />
            </div>
          )}
          <Recipe frame={frame} />
        </div>
      )}
    </>
  );
}

/** The limit of the scale of a filter, or that of all; null where each has its own. */
function limitOf(kernel: KernelFrame, filter: number | null): number | null {
  const { scale } = picks();
  if (typeof scale === "number") return scale;
  if (scale === "layer") return kernel.limit;
  return filter === null ? null : (kernel.limits[filter] ?? 0);
}

/** How the patterns were made. */
function Recipe({ frame: { failed, recipe, steps, objective, input_range } }: { frame: PatternFrame }) {
  const failures = failed.filter(Boolean).length;
  const [number, better] =
    objective === "distinct" ? ["its lead over all others", "others"] : ["the activation reached", "natural inputs"];
  return (
    <p class="legend">
      Below each: its filter, {number}. Recipe “{recipe}”, {steps} steps
      {input_range && `; black to white: inputs ${input_range.join(" to ")}`}.
      {failures > 0 && <b class="bad">{` ⚠ ${failures} failed: no better than noise or ${better}.`}</b>}
    </p>
  );
}

interface PicturesProps {
  readonly frame: PatternFrame;
  readonly filters: readonly number[];
  /** Whether each stands under its kernel. */
  readonly under: boolean;
  /** null where none is wanted, or until it is there: its place is kept. */
  readonly kernel: KernelFrame | null;
  readonly tile: Tile;
  readonly maxHeight: number;
}

function Pictures({ frame, filters, under, kernel, tile, maxHeight }: PicturesProps) {
  const list = useRef<HTMLDivElement>(null);
  const id = useName();
  useFocusPassing(list);
  const width = frame.shape[1] ?? 1;
  const size = picks().tile || clamp(OWN_SIZE[0], width, OWN_SIZE[1]);
  const numbers = tileNumbers(tile);
  const at = Math.max(0, filters.indexOf(cursor()));
  const [show, onWheel, onKey, keep] = useZoom(list, "tile", size, 1, filters.length, (index) => {
    const {
      offsetLeft: left = 0,
      offsetTop: top = 0,
      offsetWidth: width = 1,
      offsetHeight: height = 1,
    } = (list.current?.children[index] as HTMLElement | undefined) ?? {};
    return { left, top, width, height };
  });
  useLayoutEffect(keep, [size]);
  // Marked filters are compared by their kernels.
  const markable = !!layer()?.kernel;

  const onKeyDown = (event: KeyboardEvent) => {
    if (!list.current || isModified(event)) return;
    const perRow = getComputedStyle(list.current).gridTemplateColumns.split(" ").length;
    const to = moveCursor(event.key, at, { count: filters.length, perRow }, ROWS_PER_PAGE);
    if (to !== null) {
      cursor.set(filters[to] ?? 0);
      show(to);
    } else if (event.key === "Enter") {
      openFilter(filters[at] ?? 0);
    } else if (event.key === " " && markable) {
      toggleMark(filters[at] ?? 0);
    } else if (!(filters.length && onKey(event.key, at))) {
      return;
    }
    event.preventDefault();
  };

  return (
    <div
      ref={list}
      class="patterns"
      style={`--tile:${size}px;--cell:${Math.max(size, NARROWEST)}px;max-height:${maxHeight}px`}
      role="listbox"
      aria-multiselectable={markable}
      tabIndex={0}
      aria-label={plural(filters.length, "pattern")}
      aria-activedescendant={id + at}
      data-testid="patterns"
      onKeyDown={onKeyDown}
      onWheel={onWheel}
    >
      {filters.map((filter, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys.
        <div
          key={filter}
          id={id + i}
          role="option"
          tabIndex={-1}
          class={i === at ? "at" : ""}
          aria-selected={!!picks().marked?.includes(filter)}
          data-filter={filter}
          onClick={(event) => (markable && isMarking(event) ? toggleMark : openFilter)(filter)}
        >
          {under && (
            <Strip
              values={kernel?.values.subarray(filter * numbers, (filter + 1) * numbers) ?? null}
              tile={tile}
              count={1}
              size={size}
              limitOf={() => (kernel && limitOf(kernel, filter)) ?? 0}
              hatched={!!kernel?.nonfinite}
              label={`kernel of filter ${filter}`}
            />
          )}
          <PatternPicture frame={frame} at={frame.filters.indexOf(filter)} />
          <i>{filter}</i> <Activation frame={frame} at={frame.filters.indexOf(filter)} brief />
        </div>
      ))}
    </div>
  );
}
