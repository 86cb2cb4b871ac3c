/** A kernel's mosaic with its legend and what is under the pointer. */

import { useCallback, useMemo, useState } from "preact/hooks";
import { type Analysis, type Datum, kernelsUrl, numberOf } from "../api";
import { formatNumber, plural } from "../format";
import { filtersPerAnswer, inputsOf, layerTitle, modelInput, resolveInput, spatialOf } from "../model";
import { countBeyond, type Spot, tileNumbers, tileOf } from "../paint/mosaic";
import { LARGEST_TILE } from "../picks";
import { type Resource, useKernels } from "../resource";
import { byNorm, gather } from "../selection";
import { picks, toggleMark } from "../state";
import { useArranged } from "./arranged";
import { ErrorText } from "./Card";
import { Legend } from "./Legend";
import { Mosaic } from "./Mosaic";
import { Readout, valuesAt } from "./Readout";

/** One filter alone has room for large slices, in CSS pixels. */
const LARGEST_SLICE = 240;

interface KernelPictureProps {
  readonly datum: Datum;
  /** One filter and all its slices, or null for all filters. */
  readonly filter: number | null;
  /** The numbers of all filters, for their order. */
  readonly numbers: Resource<Analysis> | null;
  readonly cursor: number;
  readonly onCursor: (tile: number) => void;
  readonly maxHeight: number;
  readonly onOpen: ((filter: number) => void) | null;
}

export function KernelPicture({
  datum,
  filter,
  numbers: stored,
  cursor,
  onCursor,
  maxHeight,
  onOpen,
}: KernelPictureProps) {
  const { series } = datum;
  const { scale } = picks();
  const opened = filter !== null;
  const input = opened ? "all" : resolveInput(series, picks().input);
  const filters = opened ? 1 : filtersPerAnswer(series, input);
  const url = kernelsUrl(datum, opened ? String(filter) : filters < series.filters ? `0:${filters}` : "all", input);
  const { value, url: drawnUrl, stale, error } = useKernels(url);
  const [spot, setSpot] = useState<Spot | null>(null);
  const arranged = useArranged(datum, stored, datum.run, filters);

  const rgb = input === "rgb";
  const tile = tileOf(spatialOf(series), rgb ? 3 : 1);
  const perFilter = input === "all" ? inputsOf(series) : 1;
  const numbers = tileNumbers(tile);
  // An answer to an earlier choice may have another shape: it cannot be drawn here.
  const fits = value?.values.length === filters * perFilter * numbers && value.limits.length === filters;
  const whole = fits ? value : null;
  const { slices } = picks();
  /** What each place shows, filters or - of one filter - slices; null: all, in order. */
  const order = useMemo(() => {
    if (!opened) return arranged.order;
    return whole && slices === "norm" ? byNorm(whole.values, numbers) : null;
  }, [opened, arranged.order, whole, slices, numbers]);
  const frame = useMemo(() => {
    if (!whole || !order) return whole;
    const values = gather(whole.values, opened ? numbers : numbers * perFilter, order);
    if (opened) return { ...whole, values };
    const pickEach = <T,>(list: readonly T[]) => order.map((filter) => list[filter] as T);
    return { ...whole, values, limits: pickEach(whole.limits), chosen: whole.chosen && pickEach(whole.chosen) };
  }, [whole, order, opened, numbers, perFilter]);
  const count = opened ? perFilter : (order?.length ?? filters) * perFilter;
  const nonfinite = frame?.nonfinite ?? 0;

  const fixed = typeof scale === "number" ? scale : null;
  const limit = fixed ?? (scale === "layer" ? frame?.limit : opened ? frame?.limits[0] : null) ?? null;
  const limitOf = useCallback(
    (index: number) => limit ?? frame?.limits[Math.floor(index / perFilter)] ?? 0,
    [limit, frame, perFilter],
  );
  const clipped = useMemo(() => (frame && fixed !== null ? countBeyond(frame.values, fixed) : 0), [frame, fixed]);

  const filterOf = (index: number) => {
    const place = Math.floor(index / perFilter);
    return filter ?? order?.[place] ?? place;
  };
  const sliceOf = (index: number) => (opened ? (order?.[index] ?? index) : index % perFilter);
  const { marked } = picks();
  const marks = (marked ?? [])
    .map((one) => (order ? order.indexOf(one) : one) * perFilter)
    .filter((index) => index >= 0 && index < count);
  const describe = (index: number) => {
    const one = filterOf(index);
    const which = input === "all" ? sliceOf(index) : typeof input === "number" ? input : frame?.chosen?.[index];
    const norm = stored && !stored.stale ? numberOf(stored.value, one, "norm") : null;
    return [
      `filter ${one} of ${series.filters}`,
      which !== undefined && `input ${modelInput(series, one, which)}`,
      norm !== null && `norm ${formatNumber(norm)}`,
      !opened && marked?.includes(one) && "marked",
    ]
      .filter(Boolean)
      .join(", ");
  };

  return (
    <>
      <Mosaic
        tile={tile}
        count={count}
        perRow={!opened && perFilter > 1 ? perFilter : 0}
        largest={opened ? LARGEST_SLICE : LARGEST_TILE}
        maxHeight={maxHeight}
        values={frame?.values ?? null}
        limitOf={limitOf}
        hatched={nonfinite > 0}
        beyond={clipped ? fixed : null}
        drawnKey={`${drawnUrl} ${order && !opened ? order.join() : slices}`}
        stale={stale || arranged.stale}
        label={`${plural(count, perFilter > 1 ? "slice" : "filter")} of ${layerTitle(series)}, run ${datum.run}, step ${series.steps[datum.at]}`}
        describe={describe}
        cursor={order && !opened ? Math.max(0, order.indexOf(cursor)) * perFilter : cursor}
        onOpen={onOpen && ((index) => onOpen(filterOf(index)))}
        onCursor={order && !opened ? (index) => onCursor(filterOf(index)) : onCursor}
        marked={opened ? [] : marks}
        onMark={opened ? null : (index) => toggleMark(filterOf(index))}
        onSpot={setSpot}
        pointed={spot?.tile ?? -1}
      />
      <ErrorText>{error}</ErrorText>
      {!opened && arranged.error && <ErrorText>{arranged.error}</ErrorText>}
      {!opened && order && (
        <p class="legend" data-testid="found">
          {order.length} of {plural(filters, "filter")}
        </p>
      )}
      {!fits && !stale && <ErrorText>The shape was another at this step.</ErrorText>}
      <div class="below">
        <Legend limit={limit} rgb={rgb} nonfinite={nonfinite} clipped={clipped} />
        <Readout tile={tile} spot={spot && frame && spot.tile < count ? spot : null} describe={describe}>
          {(at) => (rgb ? "RGB " : "") + valuesAt(frame?.values ?? null, tile, at)}
        </Readout>
      </div>
      {!opened && filters < series.filters && (
        <p>
          All slices of the first {filters} of {series.filters} filters: more do not fit.
        </p>
      )}
    </>
  );
}
