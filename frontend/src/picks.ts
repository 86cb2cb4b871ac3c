/** Everything a person picked, and its form in the address. */

import { type InputChoice, KINDS, type KindChoice } from "./model";
import { MAP_LABELS, type MapChoice } from "./paint/colormap";

export type Scale = "filter" | "layer" | number;
export const VIEWS = ["overview", "layer", "compare"] as const;
export type View = (typeof VIEWS)[number];
export const SORTS = ["index", "norm", "change", "similar", "reached"] as const;
/** Those of a comparison, where the change is that from A to B. */
export const COMPARED_SORTS: readonly Sort[] = ["index", "norm", "change"];
export type Sort = (typeof SORTS)[number];
export const SPEEDS = [1, 2, 5, 10] as const;
/** The step of one side of a comparison: a fixed one, the slider's, or what suits the other side. */
export type SideStep = number | "slider" | "auto";
export const MATCHES = ["auto", "index", "likeness"] as const;
export type Match = (typeof MATCHES)[number];

export interface Picks {
  /** Runs that are checked; null: all. */
  readonly runs: readonly string[] | null;
  readonly runFilter: string;
  readonly layerFilter: string;
  /** Key of the layer shown; empty: the first. */
  readonly layer: string;
  readonly view: View;
  readonly kind: KindChoice;
  readonly sort: Sort;
  /** Which filters are shown: numbers and conditions, see `selection.ts`; empty: all. */
  readonly find: string;
  /** The order of a filter's slices. */
  readonly slices: "index" | "norm";
  /** The run of the overview; empty: the first. */
  readonly main: string;
  /** Whether runs are seen at the same step, or at the same share of their way, in thousandths; null: the newest. */
  readonly align: "step" | "relative";
  readonly place: number | null;
  /** Steps a second while playing. */
  readonly speed: number;
  readonly input: InputChoice;
  /** null: the newest, and follow it. */
  readonly step: number | null;
  /** The filter opened, or null: all of them. */
  readonly filter: number | null;
  /** A number is the limit of a fixed scale. */
  readonly scale: Scale;
  readonly map: MapChoice;
  /** Tile size in CSS pixels; 0: what fits. `zoom` is that of the mosaic of all slices. */
  readonly tile: number;
  readonly zoom: number;
  readonly contrast: "true" | "stretched";
  /** The runs and steps of a comparison, an empty run being the first that will do; and how filters become pairs. */
  readonly runA: string;
  readonly runB: string;
  readonly stepA: SideStep;
  readonly stepB: SideStep;
  readonly match: Match;
  /** Filters marked in a grid, in the order in which they were; null: none. */
  readonly marked: readonly number[] | null;
}

/** Smallest and largest size of tiles that may be picked, and the largest of those that fit unasked. */
export const SIZES = { tile: [8, 256], zoom: [1, 96] } as const;
export const LARGEST_TILE = 96;

const integer = (text: string, least: number): number | undefined => {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) && value >= least ? value : undefined;
};

const oneOf =
  <T extends string>(...words: readonly T[]) =>
  (text: string): T | undefined =>
    words.find((word) => word === text);

const sizeIn =
  ([smallest, largest]: readonly [number, number]) =>
  (text: string): number | undefined => {
    const size = integer(text, smallest);
    return size !== undefined && size <= largest ? size : undefined;
  };

const asIs = (text: string): string => text;

/** One run is written as it is; several, none, or a name that looks like a list, as a JSON list. */
function writeRuns(runs: readonly string[] | null): string {
  const [only] = runs ?? [];
  return runs?.length === 1 && only && !only.startsWith("[") ? only : JSON.stringify(runs);
}

function readRuns(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return [text];
  try {
    const runs: unknown = JSON.parse(text);
    return Array.isArray(runs) && runs.every((run) => typeof run === "string") ? runs : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a scale may end there: what a float32 can hold, as the server has it. */
export const isLimit = (limit: number): boolean => limit >= 1e-45 && limit <= 3.4e38;

function readScale(text: string): Scale | undefined {
  const limit = /^\d*\.?\d+(e[-+]?\d+)?$/i.test(text) ? Number(text) : 0;
  return isLimit(limit) ? limit : oneOf("filter", "layer")(text);
}

const readStep = (text: string): number | undefined => integer(text, Number.MIN_SAFE_INTEGER);
const readSideStep = (text: string): SideStep | undefined => readStep(text) ?? oneOf("slider", "auto")(text);

function readMarked(text: string): readonly number[] | undefined {
  const filters = text.split(",").map((part) => integer(part, 0));
  return filters.every((filter) => filter !== undefined) ? [...new Set(filters)] : undefined;
}

const TEXT = ["", asIs] as const;

/** Each pick: what holds unasked, and how it is read from its text, of which undefined is answered for nonsense. */
const PICKS: { readonly [K in keyof Picks]: readonly [unasked: Picks[K], (text: string) => Picks[K] | undefined] } = {
  runs: [null, readRuns],
  runFilter: TEXT,
  layerFilter: TEXT,
  layer: TEXT,
  view: ["layer", oneOf(...VIEWS)],
  kind: ["kernel", oneOf(...KINDS)],
  sort: ["index", oneOf(...SORTS)],
  find: TEXT,
  slices: ["index", oneOf("index", "norm")],
  main: TEXT,
  align: ["step", oneOf("step", "relative")],
  place: [null, sizeIn([0, 1000])],
  speed: [2, (text) => SPEEDS.find((speed) => String(speed) === text)],
  input: ["auto", (text) => integer(text, 0) ?? oneOf("strongest", "mean", "rgb", "all", "auto")(text)],
  step: [null, readStep],
  filter: [null, (text) => integer(text, 0)],
  scale: ["filter", readScale],
  map: ["auto", oneOf(...(Object.keys(MAP_LABELS) as MapChoice[]))],
  tile: [0, sizeIn(SIZES.tile)],
  zoom: [0, sizeIn(SIZES.zoom)],
  contrast: ["true", oneOf("true", "stretched")],
  runA: TEXT,
  runB: TEXT,
  stepA: ["auto", readSideStep],
  stepB: ["auto", readSideStep],
  match: ["auto", oneOf(...MATCHES)],
  marked: [null, readMarked],
};

/** Picks whose name in the address is another. */
const KEYS: { readonly [K in keyof Picks]?: string } = { runs: "run", runA: "a", runB: "b" };
const NAMES = Object.keys(PICKS) as (keyof Picks)[];

function write(names: readonly (keyof Picks)[], picks: Picks): Map<string, string> {
  const out = new Map<string, string>();
  for (const name of names) {
    const text = name === "runs" ? writeRuns(picks.runs) : String(picks[name]);
    if (picks[name] !== PICKS[name][0]) out.set(KEYS[name] ?? name, text);
  }
  return out;
}

/** What differs from the defaults, as texts for the address. */
export const writeAll = (picks: Picks): Map<string, string> => write(NAMES, picks);

/** What holds for a person and not for a view: it is remembered for the next visit. */
export const settingsOf = (picks: Picks): Map<string, string> =>
  write(["map", "scale", "contrast", "tile", "zoom", "speed"], picks);

/** Picks from the texts of an address. What is missing or makes no sense takes its default. */
export function readAll(texts: ReadonlyMap<string, string>): Picks {
  const picked = NAMES.map((name) => {
    const text = texts.get(KEYS[name] ?? name);
    const [unasked, read] = PICKS[name];
    return [name, (text === undefined ? text : read(text)) ?? unasked];
  });
  return Object.fromEntries(picked);
}

/** What is shown to who picked nothing. */
export const DEFAULTS = readAll(new Map());
