/** What the tab shows: of what was picked and of what the server has, and all that follows from them. */
import { type Datum, get, parseIndex } from "./api";
import { clamp } from "./format";
import { followTheme, isHidden, onPicksChanged, readPicks, readSettings, writeSettings } from "./host";
import {
  evenly,
  type Index,
  type Kind,
  layersOf,
  type Meaning,
  newestAt,
  type Run,
  resolveInput,
  type Series,
  seriesOf,
  sharedAt,
  timeOf,
  unionSteps,
} from "./model";
import { colourTable, resolveMap } from "./paint/colormap";
import { type Picks, readAll, settingsOf } from "./picks";
import { sidesOf } from "./sides";
import { computed, remembered, state } from "./store";

const address = readPicks();
/** An address that says anything says it all: a link shows the same view to everybody. */
export const picks = state<Picks>(readAll(address.size ? address : readSettings()));
export const index = state<Index | null>(null);
/** What a number means; empty where the server does not say. */
export const meaning = (name: string): Meaning => index()?.meanings[name] ?? ["", "", ""];
export const indexError = state("");
export const dark = state(false);
/** How often the server answered what there is. */
export const answers = state(0);
/** How many requests for pictures are under way. */
export const pending = { value: 0 };
/** The filter that the keyboard stands on, in every card. */
export const cursor = state(0);

export function pick(change: Partial<Picks>): void {
  picks.set({ ...picks(), ...change });
  // A link's settings are not the person's own: what is remembered changes by what is picked here alone.
  writeSettings(settingsOf({ ...readAll(readSettings()), ...change }));
}

/** Filters that a person typed here. */
const typed = new Set<string>();

/** Remembers that a person typed a filter. */
export const trust = (text: string): unknown => typed.add(text);

/** Without groups and with one repetition at most, a test takes no longer than the square of a name's length. */
const isHarmless = (text: string): boolean => /^[*+?]?$/.test(text.replace(/[^(){}*+?]/g, ""));

/**
 * A test for names: a regular expression, case-insensitive; null where the text is not one.
 *
 * A browser cannot stop one that takes hours, as `(.+)+#` does: what comes from a link has to be harmless.
 */
export function matcher(text: string): ((name: string) => boolean) | null {
  if (!typed.has(text) && !isHarmless(text)) return null;
  try {
    const pattern = new RegExp(text, "i");
    return (name) => pattern.test(name);
  } catch {
    return null;
  }
}

const layerMatcher = computed(() => matcher(picks().layerFilter));
/** Whether the filter box leaves a layer. */
export const isListed = ({ name, path }: Pick<Series, "name" | "path">): boolean =>
  layerMatcher()?.(`${name}/${path}`) ?? true;

export const allRuns = computed<readonly Run[]>(() => index()?.runs ?? []);
/** The runs that the filter box leaves. */
export const listedRuns = computed(() => {
  const matches = matcher(picks().runFilter);
  return matches ? allRuns().filter(({ run }) => matches(run)) : allRuns();
});
/** The runs that are listed and checked. */
export const shownRuns = computed(() => {
  const checked = picks().runs;
  return checked ? listedRuns().filter(({ run }) => checked.includes(run)) : listedRuns();
});
const layersFor = remembered(layersOf);
export const layers = computed(() => layersFor(shownRuns()));
/** The layer shown. A layer picked that is not there (yet) gives way to the first. */
export const layer = computed(() => layers().find(({ key }) => key === picks().layer) ?? layers()[0] ?? null);
/** The kind shown: the one picked where the layer has it, else the one it has. */
export const kind = computed<Kind>(() => {
  const { kind: picked } = picks();
  const wanted = picked === "both" ? "patterns" : picked;
  const { kernel, patterns } = layer() ?? {};
  if (!kernel === !patterns) return wanted;
  return kernel ? "kernel" : "patterns";
});

/** Whether each filter is shown by its kernel and its pattern. */
export const isBoth = computed(() => picks().kind === "both" && !!layer()?.kernel && !!layer()?.patterns);
/** Whether weights are shown, in whatever view. */
export const hasWeights = computed(() => picks().view !== "layer" || kind() === "kernel" || isBoth());

/** A card: one run's series of the layer shown. */
export interface Card {
  readonly run: string;
  readonly kernel: Series | null;
  readonly patterns: Series | null;
}

export const cards = computed<Card[]>(() => {
  const key = layer()?.key;
  if (key === undefined) return [];
  return shownRuns()
    .map((run) => ({ run: run.run, kernel: seriesOf(run, key, "kernel"), patterns: seriesOf(run, key, "patterns") }))
    .filter((card) => (picks().filter === null ? card[kind()] : card.kernel || card.patterns));
});

/** The position of the step that a series is shown at, or -1. */
export function placeIn(series: Series): number {
  const { align, place, step } = picks();
  return align === "relative" ? sharedAt(series, (place ?? 1000) / 1000) : newestAt(series, step);
}

/** What a series is shown by; null where nothing was logged up to the step. */
export function datumOf(run: string, series: Series | null): Datum | null {
  const at = series ? placeIn(series) : -1;
  return series && at >= 0 ? { run, series, at } : null;
}

/** The run of the overview. */
export const mainRun = computed(() => shownRuns().find(({ run }) => run === picks().main) ?? shownRuns()[0] ?? null);

/** What is compared; null where no run has a kernel of the layer shown. */
export const sides = computed(() => sidesOf(allRuns(), shownRuns(), layer()?.key ?? "", picks(), placeIn));

/** The series that the slider is for. */
const sliderSeries = computed<readonly Series[]>(() => {
  const { view, filter } = picks();
  if (view === "compare") return sides()?.flatMap((side) => (side.pinned ? [] : [side.series])) ?? [];
  if (view === "overview") return mainRun()?.series.filter((one) => one.kind === "kernel") ?? [];
  const opened = filter !== null || isBoth();
  return cards().flatMap((card) =>
    [card.kernel, card.patterns].filter((series): series is Series => !!series && (opened || series.kind === kind())),
  );
});
const stepsFor = remembered(unionSteps);
/** What the slider offers: all steps of what is shown, or as many places as the longest series has. */
export const steps = computed<readonly number[]>(() => {
  const series = sliderSeries();
  if (picks().align === "step") return stepsFor(series);
  const most = series.reduce((count, one) => Math.max(count, one.steps.length), 0);
  return evenly(1001, most);
});
/** When the step that the slider stands at was logged. */
export const stepTime = computed(() => timeOf(sliderSeries(), steps()[stepPlace()]));

/** Whether every slice of every filter is shown, as one mosaic. */
const isWhole = computed(() => {
  const kernel = layer()?.kernel;
  return kind() === "kernel" && picks().filter === null && !!kernel && resolveInput(kernel, picks().input) === "all";
});
/** Which of the two tile sizes holds. */
export const sizeKey = computed(() => (isWhole() ? "zoom" : "tile"));

export const mapName = computed(() => resolveMap(picks().map, dark()));
/** The colours of the map, as the server writes them. */
export const colours = computed(() => index()?.colormaps[mapName()] ?? "");
export const table = computed(() => colourTable(colours()));

/** All runs of TensorBoard, with filters or without, in the order of their colours. */
export const runNames = state<readonly string[]>([]);
/** TensorBoard's colours of runs; the first is lighter in the dark. */
const RUN_COLOURS = ["#425066", "#12b5cb", "#e52592", "#f9ab00", "#9334e6", "#7cb342", "#e8710a"];

export function runColour(run: string): string {
  const names = runNames().includes(run) ? runNames() : allRuns().map((one) => one.run);
  const at = names.indexOf(run) % RUN_COLOURS.length;
  return at === 0 && dark() ? "#8e98a3" : (RUN_COLOURS[at] ?? "#425066");
}

let indexText = "";
let refreshing: Promise<void> | null = null;

async function loadIndex(): Promise<void> {
  try {
    const text = await (await get(`index?known=${index()?.revision ?? ""}`)).text();
    if (text && text !== indexText) {
      index.set(parseIndex(text));
      indexText = text;
      // Where TensorBoard does not say, colours are ours alone.
      get("../../runs")
        .then((answer) => answer.json())
        .then(runNames.set, () => {});
    }
    indexError.set("");
    answers.set(answers() + 1);
  } catch (error) {
    indexError.set((error as Error).message);
  } finally {
    refreshing = null;
  }
}

/** Asks the server what there is; a call while another is under way shares its answer. */
export function refreshIndex(): Promise<void> {
  refreshing ??= loadIndex();
  return refreshing;
}

const POLL_MS = 1000;

/** Connects the state with TensorBoard: address, theme, and training that goes on. */
export function start(): void {
  followTheme((isDark) => {
    dark.set(isDark);
  });
  onPicksChanged(() => {
    picks.set(readAll(readPicks()));
  });
  // So often that nobody has to wait for it after TensorBoard's reload button, or after a look at another tab.
  setInterval(() => {
    if (!isHidden()) void refreshIndex();
  }, POLL_MS);
  void refreshIndex();
}

/** Shows a layer, in the comparison where that is open. */
export function openLayer(key: string, find = ""): void {
  performance.mark("filterviz:open");
  cursor.set(0);
  const view = picks().view === "compare" ? "compare" : "layer";
  // What is counted is counted of kernels: not each has a pattern.
  pick({ layer: key, filter: null, find, view, marked: null, ...(find && { kind: "kernel" }) });
}

/** Opens one filter of the layer shown, or all of them again. */
export function openFilter(filter: number | null): void {
  performance.mark("filterviz:open");
  if (filter !== null) cursor.set(filter);
  pick({ filter, layer: layer()?.key ?? "" });
}

/** Marks a filter of the grid, or clears its mark. */
export function toggleMark(filter: number): void {
  const marked = picks().marked ?? [];
  const others = marked.filter((one) => one !== filter);
  if (others.length === marked.length) others.push(filter);
  pick({ marked: others.length ? others : null });
}

/** Moves the step slider by some places; at its end it follows the newest step again. */
export function moveStep(places: number): void {
  const all = steps();
  const to = clamp(0, stepPlace() + places, all.length - 1);
  const at = to === all.length - 1 ? null : (all[to] ?? null);
  pick(picks().align === "relative" ? { place: at } : { step: at });
}

/** Where the slider stands: at the newest step that is not after the one picked. */
export const stepPlace = computed(() => {
  const { align, place } = picks();
  const step = align === "relative" ? place : picks().step;
  if (step === null) return steps().length - 1;
  return Math.max(
    0,
    steps().findLastIndex((one) => one <= step),
  );
});
