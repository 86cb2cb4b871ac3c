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

/** How one pick is written and read. `read` answers undefined for what it does not understand. */
interface Field<T> {
  readonly key: string;
  readonly write: (value: T) => string;
  readonly read: (text: string) => T | undefined;
}

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

const readSideStep = (text: string): SideStep | undefined =>
  integer(text, Number.MIN_SAFE_INTEGER) ?? oneOf("slider", "auto")(text);

function readMarked(text: string): readonly number[] | undefined {
  const filters = text.split(",").map((part) => integer(part, 0));
  return filters.every((filter) => filter !== undefined) ? [...new Set(filters)] : undefined;
}

const FIELDS: { readonly [K in keyof Picks]: Field<Picks[K]> } = {
  runs: { key: "run", write: writeRuns, read: readRuns },
  runFilter: { key: "runFilter", write: asIs, read: asIs },
  layerFilter: { key: "layerFilter", write: asIs, read: asIs },
  layer: { key: "layer", write: asIs, read: asIs },
  view: { key: "view", write: asIs, read: oneOf(...VIEWS) },
  kind: { key: "kind", write: asIs, read: oneOf(...KINDS) },
  sort: { key: "sort", write: asIs, read: oneOf(...SORTS) },
  find: { key: "find", write: asIs, read: asIs },
  slices: { key: "slices", write: asIs, read: oneOf("index", "norm") },
  main: { key: "main", write: asIs, read: asIs },
  align: { key: "align", write: asIs, read: oneOf("step", "relative") },
  place: { key: "place", write: String, read: sizeIn([0, 1000]) },
  speed: { key: "speed", write: String, read: (text) => SPEEDS.find((speed) => String(speed) === text) },
  input: {
    key: "input",
    write: String,
    read: (text) => integer(text, 0) ?? oneOf("strongest", "mean", "rgb", "all", "auto")(text),
  },
  step: { key: "step", write: String, read: (text) => integer(text, Number.MIN_SAFE_INTEGER) },
  filter: { key: "filter", write: String, read: (text) => integer(text, 0) },
  scale: { key: "scale", write: String, read: readScale },
  map: { key: "map", write: asIs, read: oneOf(...(Object.keys(MAP_LABELS) as MapChoice[])) },
  tile: { key: "tile", write: String, read: sizeIn(SIZES.tile) },
  zoom: { key: "zoom", write: String, read: sizeIn(SIZES.zoom) },
  contrast: { key: "contrast", write: asIs, read: oneOf("true", "stretched") },
  runA: { key: "a", write: asIs, read: asIs },
  runB: { key: "b", write: asIs, read: asIs },
  stepA: { key: "stepA", write: String, read: readSideStep },
  stepB: { key: "stepB", write: String, read: readSideStep },
  match: { key: "match", write: asIs, read: oneOf(...MATCHES) },
  marked: { key: "marked", write: String, read: readMarked },
};

const NAMES = Object.keys(FIELDS) as (keyof Picks)[];

function writeField<K extends keyof Picks>(name: K, picks: Picks, out: Map<string, string>): void {
  if (picks[name] !== DEFAULTS[name]) out.set(FIELDS[name].key, FIELDS[name].write(picks[name]));
}

function readField<K extends keyof Picks>(name: K, texts: ReadonlyMap<string, string>, out: Partial<Picks>): void {
  const text = texts.get(FIELDS[name].key);
  const value = text === undefined ? undefined : FIELDS[name].read(text);
  if (value !== undefined) Object.assign(out, { [name]: value });
}

/** What differs from the defaults, as texts for the address. */
export function writeAll(picks: Picks): Map<string, string> {
  const out = new Map<string, string>();
  for (const name of NAMES) writeField(name, picks, out);
  return out;
}

/** What holds for a person and not for a view: it is remembered for the next visit. */
const SETTINGS = ["map", "scale", "contrast", "tile", "zoom", "speed"] as const;

export function writeSettings(picks: Picks): Map<string, string> {
  const out = new Map<string, string>();
  for (const name of SETTINGS) writeField(name, picks, out);
  return out;
}

/** Picks from the texts of an address. What is missing or makes no sense takes its default. */
export function readAll(texts: ReadonlyMap<string, string>): Picks {
  const out: Partial<Picks> = {};
  for (const name of NAMES) readField(name, texts, out);
  return { ...DEFAULTS, ...out };
}
