/** What lies under the pointer, in words. */
import { formatSigned } from "../format";
import { offsetOf, type Spot, type Tile } from "../paint/mosaic";

/** Where in its picture a number is. */
export const placeOf = (tile: Tile, { depth, row, column }: Spot): string =>
  `${tile.depth > 1 ? `depth ${depth}, ` : ""}row ${row}, column ${column}`;

/** The number, or those of the three colours. */
export const valuesAt = (values: Float32Array | null, tile: Tile, spot: Spot): string =>
  Array.from({ length: tile.channels }, (_, channel) =>
    formatSigned(values?.[offsetOf(tile, spot, channel)] ?? Number.NaN),
  ).join(", ");
