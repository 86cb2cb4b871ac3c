/** The nouns of `http_api.md`, and what follows from them. */
import { clamp } from "./format";

export type Kind = "kernel" | "patterns";
/** What a grid shows of each filter; both: its pattern under its kernel. */
export type KindChoice = Kind | "both";
export const KINDS: readonly KindChoice[] = ["kernel", "patterns", "both"];

/** Steps, and when they were logged. */
export interface Timeline {
  readonly steps: readonly number[];
  /** When the first step was logged, in seconds since 1970, and how many milliseconds after it each was. */
  readonly wall_time: number;
  readonly elapsed_ms: readonly number[];
}

/** All steps of one (run, layer, kind), as the server's index lists them. */
export interface Series extends Timeline {
  readonly tag: string;
  readonly kind: Kind;
  readonly name: string;
  readonly path: string;
  readonly layer_class: string;
  readonly position: number;
  readonly filters: number;
  readonly shape: readonly number[];
  readonly axes: string;
  readonly groups: number;
  readonly description: string;
  /** How many data were logged that newer ones took the place of, as after a restart. */
  readonly superseded: number;
  /** Names which data all steps are. */
  readonly version: string;
}

export interface Run {
  readonly run: string;
  readonly series: readonly Series[];
}

export interface Problem {
  readonly run: string;
  readonly tag: string;
  readonly step: number | null;
  readonly message: string;
}

export interface Index {
  readonly version: number;
  /** What to name in the next request, so that the server need not answer the same again; may be empty. */
  readonly revision: string;
  readonly runs: readonly Run[];
  readonly problems: readonly Problem[];
  readonly meanings: Readonly<Record<string, Meaning>>;
  /** Of each map 255 colours from `-limit` to `+limit`, `rrggbb` one after the other. */
  readonly colormaps: Readonly<Record<string, string>>;
}

/** What a number is called (empty: it is not shown as one), what it says, and its unit: `%` for a share, `°` or none. */
export type Meaning = readonly [label: string, sentence: string, unit: string];

/** A layer of the runs shown; its kernel and patterns series are those of the first run that has them. */
export interface Layer {
  readonly key: string;
  readonly name: string;
  readonly path: string;
  readonly kernel: Series | null;
  readonly patterns: Series | null;
}

/** What the weights of several inputs are shown as: one slice, a summary of all, colours, or every slice. */
export type Input = number | "strongest" | "mean" | "rgb" | "all";
export type InputChoice = Input | "auto";

/** Identifies a layer across runs and kinds, and in the address: its name, `|`, its path. */
export function layerKey(series: Pick<Series, "name" | "path">): string {
  return `${series.name.replace(/[%|]/g, encodeURIComponent)}|${series.path}`;
}

/** What to call a layer: its path, or the name it was logged under where it has none. */
export const layerTitle = (layer: Pick<Series, "name" | "path">): string => layer.path || layer.name;

/** The layers of some runs: those logged under one name together, in model order. */
export function layersOf(runs: readonly Run[]): Layer[] {
  const names = new Map<string, Map<string, Layer>>();
  for (const { series } of runs) {
    for (const one of series) {
      const layers = names.get(one.name) ?? new Map<string, Layer>();
      names.set(one.name, layers);
      const old = layers.get(one.path);
      const layer = old ?? { key: layerKey(one), name: one.name, path: one.path, kernel: null, patterns: null };
      layers.set(one.path, layer[one.kind] ? layer : { ...layer, [one.kind]: one });
    }
  }
  const position = (layer: Layer) => (layer.kernel ?? layer.patterns)?.position ?? 0;
  return [...names.values()].flatMap((layers) => [...layers.values()].sort((a, b) => position(a) - position(b)));
}

const seriesByLayer = new WeakMap<Run, Map<string, Series>>();

/** A run's series of a layer. */
export function seriesOf(run: Run, key: string, kind: Kind): Series | null {
  let found = seriesByLayer.get(run);
  if (!found) {
    // Of series that share a key, the first counts.
    found = new Map([...run.series].reverse().map((series) => [`${series.kind} ${layerKey(series)}`, series]));
    seriesByLayer.set(run, found);
  }
  return found.get(`${kind} ${key}`) ?? null;
}

/** Why a filter cannot be shown. */
export const noFilter = ({ filters }: Series, filter: number): string =>
  `This layer has the filters 0 to ${filters - 1}. Received: ${filter}`;

/** The spatial axes of a kernel. */
export const spatialOf = (series: Series): readonly number[] => series.shape.slice(0, -2);

/** How many inputs each filter of a kernel reads. */
export const inputsOf = (series: Series): number => series.shape.at(-2) ?? 1;

/** The number that the model gives to input `i` of a filter: grouped filters read some of the inputs only. */
export function modelInput(series: Series, filter: number, input: number): number {
  return Math.floor((filter * series.groups) / series.filters) * inputsOf(series) + input;
}

/** Whether a kernel's inputs can be taken for red, green and blue. */
export const isRgb = (series: Series): boolean => inputsOf(series) === 3 && series.axes.includes("H");

/** The choice of inputs that holds for a kernel: what cannot be, gives way to the nearest that can. */
export function resolveInput(series: Series, choice: InputChoice): Input {
  const inputs = inputsOf(series);
  if (typeof choice === "number") return Math.min(choice, inputs - 1);
  if (inputs === 1) return 0;
  if (choice !== "rgb" && choice !== "auto") return choice;
  if (isRgb(series)) return "rgb";
  // A slice of one weight shows its sign at most; the matrix of all shows structure.
  return spatialOf(series).every((size) => size === 1) ? "all" : "strongest";
}

/** What shows a whole filter in one picture: of all slices, the strongest. */
export const onePicture = (input: Input): Exclude<Input, "all"> => (input === "all" ? "strongest" : input);

/** A shape in words, such as `3×3 · 64 → 128`. */
export function shapeText(series: Series): string {
  if (series.kind === "patterns") return `${series.shape.join("×")} pictures`;
  const [inputs, outputs] = series.shape.slice(-2);
  const channels = `${inputs} → ${outputs}`;
  const size = spatialOf(series).join("×");
  const groups = series.groups > 1 ? ` · ${series.groups} groups` : "";
  return `${size ? `${size} · ` : ""}${channels}${groups}`;
}

/** Position of the newest step that is not after `step` (null: the newest of all), or -1. */
export function newestAt(series: Series, step: number | null): number {
  let at = series.steps.length - 1;
  while (step !== null && at >= 0 && (series.steps[at] as number) > step) at--;
  return at;
}

/** Position of the step at a share of the way of a series, 0 to 1. */
export function sharedAt(series: Series, share: number): number {
  return Math.round(share * (series.steps.length - 1));
}

/** Evenly spread places of a list, with its first and last; all of a short one. */
export function evenly(length: number, most: number): number[] {
  const count = Math.min(length, most);
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / Math.max(1, count - 1)));
}

/** All steps of some series, ascending. */
export function unionSteps(series: readonly Series[]): number[] {
  return [...new Set(series.flatMap((one) => one.steps))].sort((a, b) => a - b);
}

/** When what is at a position of a series was logged, in seconds since 1970. */
export function timeAt(series: Series, at: number): number | undefined {
  const elapsed = series.elapsed_ms[at];
  return elapsed === undefined ? elapsed : series.wall_time + elapsed / 1000;
}

/** When a step was logged, by the first series that has it. */
export function timeOf(series: readonly Series[], step: number | undefined): number | undefined {
  for (const one of series) {
    const at = step === undefined ? -1 : one.steps.indexOf(step);
    if (at >= 0) return timeAt(one, at);
  }
  return undefined;
}

/** The server answers with this many numbers at most. */
const MOST_NUMBERS = 16_777_216;

/** How many filters of a kernel fit into one answer. */
export function filtersPerAnswer(series: Series, input: Input): number {
  const inputs = input === "all" ? inputsOf(series) : input === "rgb" ? 3 : 1;
  const numbers = spatialOf(series).reduce((product, size) => product * size, inputs);
  return clamp(1, Math.floor(MOST_NUMBERS / Math.max(1, numbers)), series.filters);
}
