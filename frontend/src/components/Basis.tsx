/** The principal components of a layer's slices, and how much each explains. */
import { useMemo } from "preact/hooks";
import type { Analysis } from "../api";
import { type Series, spatialOf } from "../model";
import { tileNumbers, tileOf } from "../paint/mosaic";
import { limitsOf } from "../sides";
import { meaning } from "../state";
import { Strip } from "./Strip";

/** More of them say little: the last explain next to nothing. Of volumes this many slices find room. */
const MOST = 9;
/** Pictures this high have room for their shares below them, in CSS pixels. */
const ROOMY = 36;

interface BasisProps {
  readonly analysis: Analysis;
  readonly series: Series;
  /** Height of a picture in CSS pixels. */
  readonly size: number;
}

export function Basis({ analysis: { basis }, series, size }: BasisProps) {
  const tile = tileOf(spatialOf(series));
  const most = Math.ceil(MOST / tile.depth);
  const values = useMemo(() => Float32Array.from(basis?.pictures.slice(0, most).flat(9) ?? []), [basis]);
  const limits = limitsOf(values, tileNumbers(tile));
  const shares = basis?.explained.slice(0, most).map((share) => `${Math.round(100 * share)} %`) ?? [];
  const [label, sentence] = meaning("basis");
  // Slices of one weight have none.
  if (!basis || limits.length !== shares.length) return null;
  return (
    <span class="line" title={`${sentence}: ${shares.join(", ")}`} data-testid="basis">
      {size < ROOMY && (
        <i>
          {label} {shares.slice(0, 3).join(", ")}
        </i>
      )}
      <Strip
        values={values}
        tile={tile}
        count={limits.length}
        size={size}
        limitOf={(i) => limits[i] ?? 0}
        hatched={false}
        label={`${label}: ${shares.join(", ")}`}
        captions={size < ROOMY ? [] : shares}
      />
    </span>
  );
}
