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

export const DEFAULTS: Picks = {
  runs: null,
  runFilter: "",
  layerFilter: "",
  layer: "",
  view: "layer",
  kind: "kernel",
  sort: "index",
  find: "",
  slices: "index",
  main: "",
  align: "step",
  place: null,
  speed: 2,
  input: "auto",
  step: null,
  filter: null,
  scale: "filter",
  map: "auto",
  tile: 0,
  zoom: 0,
  contrast: "true",
  runA: "",
  runB: "",
  stepA: "auto",
  stepB: "auto",
  match: "auto",
  marked: null,
};

/** Smallest and largest size of tiles that may be picked. */
export const SIZES = { tile: [8, 96], zoom: [1, 96] } as const;

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

function readScale(text: string): Scale | undefined {
  const limit = /^\d*\.?\d+(e[-+]?\d+)?$/i.test(text) ? Number(text) : 0;
  return limit > 0 && Number.isFinite(limit) ? limit : oneOf("filter", "layer")(text);
}

const readStep = (text: string): number | undefined => integer(text, Number.MIN_SAFE_INTEGER);
const readSideStep = (text: string): SideStep | undefined => readStep(text) ?? oneOf("slider", "auto")(text);

function readMarked(text: string): readonly number[] | undefined {
  const filters = text.split(",").map((part) => integer(part, 0));
  return filters.every((filter) => filter !== undefined) ? [...new Set(filters)] : undefined;
}

/** How each pick is read from its text; undefined is answered for what is not understood. */
const READ: { readonly [K in keyof Picks]: (text: string) => Picks[K] | undefined } = {
  runs: readRuns,
  runFilter: asIs,
  layerFilter: asIs,
  layer: asIs,
  view: oneOf(...VIEWS),
  kind: oneOf(...KINDS),
  sort: oneOf(...SORTS),
  find: asIs,
  slices: oneOf("index", "norm"),
  main: asIs,
  align: oneOf("step", "relative"),
  place: sizeIn([0, 1000]),
  speed: (text) => SPEEDS.find((speed) => String(speed) === text),
  input: (text) => integer(text, 0) ?? oneOf("strongest", "mean", "rgb", "all", "auto")(text),
  step: readStep,
  filter: (text) => integer(text, 0),
  scale: readScale,
  map: oneOf(...(Object.keys(MAP_LABELS) as MapChoice[])),
  tile: sizeIn(SIZES.tile),
  zoom: sizeIn(SIZES.zoom),
  contrast: oneOf("true", "stretched"),
  runA: asIs,
  runB: asIs,
  stepA: readSideStep,
  stepB: readSideStep,
  match: oneOf(...MATCHES),
  marked: readMarked,
};

/** Picks whose name in the address is another. */
const KEYS: { readonly [K in keyof Picks]?: string } = { runs: "run", runA: "a", runB: "b" };
const NAMES = Object.keys(READ) as (keyof Picks)[];

function write(names: readonly (keyof Picks)[], picks: Picks): Map<string, string> {
  const out = new Map<string, string>();
  for (const name of names) {
    const text = name === "runs" ? writeRuns(picks.runs) : String(picks[name]);
    if (picks[name] !== DEFAULTS[name]) out.set(KEYS[name] ?? name, text);
  }
  return out;
}

/** What differs from the defaults, as texts for the address. */
export const writeAll = (picks: Picks): Map<string, string> => write(NAMES, picks);

/** What holds for a person and not for a view: it is remembered for the next visit. */
export const writeSettings = (picks: Picks): Map<string, string> =>
  write(["map", "scale", "contrast", "tile", "zoom", "speed"], picks);

/** Picks from the texts of an address. What is missing or makes no sense takes its default. */
export function readAll(texts: ReadonlyMap<string, string>): Picks {
  const read = NAMES.map((name) => {
    const text = texts.get(KEYS[name] ?? name);
    return [name, (text === undefined ? text : READ[name](text)) ?? DEFAULTS[name]];
  });
  return Object.fromEntries(read);
}
