/** What lies under the pointer, in words. */
import type { ComponentChildren } from "preact";
import { formatSigned } from "../format";
import { offsetOf, type Spot, type Tile } from "../paint/mosaic";

/** The number, or those of the three colours. */
export const valuesAt = (values: Float32Array | null, tile: Tile, spot: Spot): string =>
  Array.from({ length: tile.channels }, (_, channel) =>
    formatSigned(values?.[offsetOf(tile, spot, channel)] ?? Number.NaN),
  ).join(", ");

interface ReadoutProps {
  readonly tile: Tile;
  /** null: the pointer is elsewhere. */
  readonly spot: Spot | null;
  /** What to say of a tile. */
  readonly describe: (tile: number) => string;
  /** The numbers there. */
  readonly children: (spot: Spot) => ComponentChildren;
}

/** A place of its own, always there: pointing at weights moves nothing. */
export function Readout({ tile, spot, describe, children }: ReadoutProps) {
  return (
    <div class="line readout">
      {spot && (
        <>
          {describe(spot.tile)} · {tile.depth > 1 && `depth ${spot.depth}, `}row {spot.row}, column {spot.column}
          <b>{children(spot)}</b>
        </>
      )}
    </div>
  );
}
