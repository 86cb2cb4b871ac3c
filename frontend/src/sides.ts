/** The two sides of a comparison, of what was picked and of what there is. */
import type { Datum } from "./api";
import { newestAt, type Run, type Series, seriesOf } from "./model";
import type { Match, Picks, SideStep } from "./picks";
import { finite } from "./selection";

/** A datum to compare; `at` is -1 where nothing was logged up to its step. */
export interface Side extends Datum {
  /** Whether its step is fixed, and does not follow the slider. */
  readonly pinned: boolean;
}

export type Sides = readonly [a: Side, b: Side];

/**
 * Finds what is compared; null where no run has a kernel of the layer.
 *
 * Without a choice, a run is compared with itself: its first step with that of the slider; a run of one step with the
 * next run that has the layer. Two runs follow the slider both.
 *
 * @param all - The runs that may be named.
 * @param shown - Those taken where none is.
 * @param place - Where the slider stands in a series.
 */
export function sidesOf(
  all: readonly Run[],
  shown: readonly Run[],
  key: string,
  picks: Picks,
  place: (series: Series) => number,
): Sides | null {
  const kernels = (runs: readonly Run[]) =>
    runs.flatMap((run) => {
      const series = seriesOf(run, key, "kernel");
      return series ? [{ run: run.run, series }] : [];
    });
  const known = kernels(all);
  const usual = kernels(shown);
  const a = known.find(({ run }) => run === picks.runA) ?? usual[0];
  if (!a) return null;
  const other = usual.find(({ run }) => run !== a.run);
  const b = known.find(({ run }) => run === picks.runB) ?? (a.series.steps.length > 1 ? a : (other ?? a));
  const side = (one: { run: string; series: Series }, step: SideStep): Side =>
    typeof step === "number"
      ? { ...one, at: newestAt(one.series, step), pinned: true }
      : { ...one, at: place(one.series), pinned: false };
  const usualA = a.run === b.run ? (a.series.steps[0] as number) : "slider";
  return [side(a, picks.stepA === "auto" ? usualA : picks.stepA), side(b, picks.stepB)];
}

/** How filters become pairs: runs find like filters at different places, steps of one run keep theirs. */
export function matchOf([a, b]: Sides, match: Match): Exclude<Match, "auto"> {
  if (match !== "auto") return match;
  return a.run === b.run ? "index" : "likeness";
}

/** Why the two cannot be compared; empty where they can. */
export function obstacle([a, b]: Sides): string {
  const shape = (one: Side) => `(${one.series.shape.slice(0, -1).join(", ")})`;
  if (shape(a) !== shape(b))
    return `Filters are compared weight by weight and need one shape. Received: ${shape(a)} in A and ${shape(b)} in B`;
  const early = [a, b].findIndex(({ at }) => at < 0);
  return early < 0 ? "" : `Nothing was logged up to this step in ${"AB"[early]}`;
}

/** `B - A`, number by number. */
export function difference(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => (b[i] as number) - value);
}

/** The largest finite magnitude of each piece of `size` numbers. */
export function limitsOf(values: Float32Array, size: number): number[] {
  return Array.from({ length: values.length / size }, (_, i) =>
    values.subarray(i * size, (i + 1) * size).reduce((most, value) => Math.max(most, Math.abs(finite(value))), 0),
  );
}

/** How a pair is called: one number where both filters have it, else `3 ← 17`, the filter of B at the right. */
export function pairName(filter: number, partner: number): string {
  return filter === partner ? String(filter) : `${filter} ← ${partner < 0 ? "none" : partner}`;
}

/** The cosine of the angle between two filters; what is not finite counts as 0. Null where one is 0. */
export function cosine(a: Float32Array, b: Float32Array): number | null {
  let [dot, inA, inB] = [0, 0, 0];
  a.forEach((value, i) => {
    const [x, y] = [finite(value), finite(b[i])];
    dot += x * y;
    inA += x * x;
    inB += y * y;
  });
  return inA && inB ? dot / Math.sqrt(inA * inB) : null;
}
