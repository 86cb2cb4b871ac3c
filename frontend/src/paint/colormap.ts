/**
 * Colour tables for signed numbers.
 *
 * A table has 256 entries of packed RGBA (little-endian, ready for `ImageData`): 0..254 run from `-limit` over 0, exactly
 * at 127, to `+limit`; 255 is transparent and stands for numbers that are not finite, which are drawn as a hatch
 * beneath. Diverging maps are made in OKLCH (B. Ottosson, 2020): both arms share lightness and chroma and differ only in hue,
 * so that equal magnitudes weigh the same on the eye. Blue against red or orange stays apart for the common colour deficiencies.
 */

export const ZERO = 127;
export const NOT_FINITE = 255;

interface Diverging {
  label: string;
  /** OKLCH lightness at zero and at the limit, 0..1. */
  centre: number;
  end: number;
  /** Greatest OKLCH chroma of an arm. */
  chroma: number;
  /** OKLCH hues in degrees, below and above zero. */
  below: number;
  above: number;
}

const DIVERGING = {
  bluered: { label: "Blue–red", centre: 0.97, end: 0.36, chroma: 0.17, below: 256, above: 25 },
  blueorange: { label: "Blue–orange", centre: 0.96, end: 0.42, chroma: 0.13, below: 242, above: 58 },
  night: { label: "Night (dark zero)", centre: 0.2, end: 0.88, chroma: 0.14, below: 240, above: 38 },
} satisfies Record<string, Diverging>;

export type MapName = keyof typeof DIVERGING | "grey";
/** What may be picked: a map, or `auto`, the one that suits the theme. */
export type MapChoice = MapName | "auto";

export const MAP_LABELS: Record<MapChoice, string> = {
  auto: "Automatic",
  bluered: DIVERGING.bluered.label,
  blueorange: DIVERGING.blueorange.label,
  night: DIVERGING.night.label,
  grey: "Grey",
};

export function resolveMap(choice: MapChoice, dark: boolean): MapName {
  if (choice !== "auto") return choice;
  return dark ? "night" : "bluered";
}

type Rgb = [number, number, number];

/** OKLCH to linear sRGB; the result may lie outside 0..1. */
function linearRgb(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The 8-bit sRGB colour; chroma gives way where the screen cannot show it, lightness never does. */
function toRgb(lightness: number, chroma: number, hue: number): Rgb {
  let rgb = linearRgb(lightness, chroma, hue);
  for (let c = chroma; c > 0 && rgb.some((v) => v < -1e-4 || v > 1.0001); ) {
    c = Math.max(0, c - 0.004);
    rgb = linearRgb(lightness, c, hue);
  }
  return rgb.map((v) => {
    const x = Math.min(1, Math.max(0, v));
    return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));
  }) as Rgb;
}

/** The colour of `t` in -1..1, where 0 is the number zero. */
export function colourAt(map: MapName, t: number): Rgb {
  if (map === "grey") {
    const level = Math.round(127.5 + 127.5 * t);
    return [level, level, level];
  }
  const { centre, end, chroma, below, above } = DIVERGING[map];
  const size = Math.abs(t);
  // Chroma rises fast from zero, so that small weights already show their sign, and falls a little at the far end.
  return toRgb(centre + (end - centre) * size, chroma * Math.sin(Math.PI * 0.72 * size ** 0.8), t < 0 ? below : above);
}

const tables = new Map<MapName, Uint32Array>();

/** The 256-entry table of a map. */
export function colourTable(map: MapName): Uint32Array {
  let table = tables.get(map);
  if (!table) {
    table = new Uint32Array(256);
    for (let i = 0; i < NOT_FINITE; i++) {
      const [r, g, b] = colourAt(map, (i - ZERO) / ZERO);
      table[i] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    }
    tables.set(map, table);
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

/** A CSS gradient of the map from `-limit` (left) to `+limit`. */
export function gradient(map: MapName): string {
  const stops = Array.from({ length: 33 }, (_, i) => `rgb(${colourAt(map, i / 16 - 1).join(" ")})`);
  return `linear-gradient(to right, ${stops.join(",")})`;
}
