/**
 * Colour tables for signed numbers, as the server has them.
 *
 * A table has 256 entries of packed RGBA (little-endian, ready for `ImageData`): 0..254 run from `-limit` over 0, exactly
 * at 127, to `+limit`; 255 is transparent and stands for numbers that are not finite, which are drawn as a hatch
 * beneath.
 */

export const ZERO = 127;
export const NOT_FINITE = 255;

export const MAP_LABELS = {
  auto: "Automatic",
  bluered: "Blue–red",
  blueorange: "Blue–orange",
  night: "Night (dark zero)",
  grey: "Grey",
};
/** What may be picked: a map, or `auto`, the one that suits the theme. */
export type MapChoice = keyof typeof MAP_LABELS;
export type MapName = Exclude<MapChoice, "auto">;

export function resolveMap(choice: MapChoice, dark: boolean): MapName {
  if (choice !== "auto") return choice;
  return dark ? "night" : "bluered";
}

/** The colour of an entry, `rrggbb`, of a map's colours one after the other. */
const entryOf = (colours: string, index: number): string => colours.slice(6 * index, 6 * index + 6);

const tables = new Map<string, Uint32Array>();

/** The 256-entry table of a map's colours. */
export function colourTable(colours: string): Uint32Array {
  let table = tables.get(colours);
  if (!table) {
    table = Uint32Array.from({ length: 256 }, (_, i) => {
      const [red = "", green = "", blue = ""] = entryOf(colours, i).match(/../g) ?? [];
      return i < NOT_FINITE ? Number(`0xff${blue}${green}${red}`) : 0;
    });
    tables.set(colours, table);
  }
  return table;
}

/**
 * The table's index of a number on a scale `-limit .. limit`. Symmetric: `-v` lies as far below 127 as `v` above it.
 *
 * @param perUnit - `127 / limit`, or 0 where the limit is 0: then everything is zero.
 */
export function colourIndex(value: number, perUnit: number): number {
  if (value - value !== 0) return NOT_FINITE; // NaN and both infinities
  const scaled = value * perUnit;
  const size = scaled < 0 ? -scaled : scaled;
  const steps = size >= ZERO ? ZERO : (size + 0.5) | 0;
  return scaled < 0 ? ZERO - steps : ZERO + steps;
}

/** `127 / limit`, what `colourIndex` multiplies with. */
export function perUnit(limit: number): number {
  return limit > 0 && Number.isFinite(limit) ? ZERO / limit : 0;
}

/** A CSS gradient of a map's colours from `-limit` (left) to `+limit`. */
export function gradient(colours: string): string {
  const stops = Array.from({ length: 33 }, (_, i) => `#${entryOf(colours, Math.round((i / 16) * ZERO))}`);
  return `linear-gradient(to right, ${stops.join(",")})`;
}
