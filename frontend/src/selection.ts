/** Which filters of a layer are shown, and in which order. */
import { type Analysis, numberOf } from "./api";
import type { Sort } from "./picks";

type Test = (filter: number) => boolean;

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "=": (a, b) => a === b,
  ">=": (a, b) => a >= b,
  ">": (a, b) => a > b,
};
const WORDS = new Map<string, readonly [name: string, least: number]>(
  Object.entries({
    dead: ["dead", 1],
    duplicate: ["duplicate_of", 0],
    flipped: ["opposite_of", 0],
    nonfinite: ["nonfinite", 1],
  } as const),
);
/** Names of numbers, the stored ones first: an answer in full depth has all. */
const STORED = ["norm", "min", "max", "mean", "std", "near_zero", "nonfinite", "l1"];
const COMPUTED = [
  ...["dead", "duplicate_of", "opposite_of", "high_frequency", "orientation", "orientation_strength", "colour"],
  ...["change", "cosine", "change_first", "cosine_first"],
];

export const HELP = "Numbers (3, 8-15), dead, duplicate, flipped, nonfinite, or norm>0.5; all of several must hold";

/** A search read: the tests that must all hold, and whether they need numbers that take computing. */
export interface Find {
  readonly tests: (analysis: Analysis | null) => readonly Test[];
  readonly deep: boolean;
  /** The numbers that it asks for. */
  readonly names: readonly string[];
  /** What was not understood; empty where all was. */
  readonly error: string;
}

export function parseFind(text: string): Find {
  const ranges: [number, number][] = [];
  const conditions: { name: string; holds: (value: number) => boolean }[] = [];
  let error = "";
  for (const part of text
    .replace(/\s*([<>]=?|=)\s*/g, "$1")
    .split(/[\s,]+/)
    .filter(Boolean)) {
    const range = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    const condition = /^([a-z_0-9]+)(<=|>=|<|>|=)(-?\d*\.?\d+(?:e[-+]?\d+)?)$/i.exec(part);
    const word = WORDS.get(part.toLowerCase());
    const [name = "", compare, limit] = condition
      ? [condition[1], COMPARE[condition[2] ?? ""], Number(condition[3])]
      : [];
    if (range) ranges.push([Number(range[1]), Number(range[2] ?? range[1])]);
    else if (word) conditions.push({ name: word[0], holds: (value) => value >= word[1] });
    else if (compare && [...STORED, ...COMPUTED].includes(name))
      conditions.push({ name, holds: (value) => compare(value, limit as number) });
    else error ||= `“${part}” is not understood. ${HELP}`;
  }
  return {
    error,
    deep: conditions.some(({ name }) => !STORED.includes(name)),
    names: conditions.map(({ name }) => name),
    tests: (analysis) => [
      ...(ranges.length ? [(filter: number) => ranges.some(([low, high]) => low <= filter && filter <= high)] : []),
      ...conditions.map(({ name, holds }) => (filter: number) => {
        const value = numberOf(analysis, filter, name);
        return value !== null && holds(value);
      }),
    ],
  };
}

/** Whether an order needs numbers that take computing. */
export const isDeep = (sort: Sort): boolean => sort === "change" || sort === "similar";

/**
 * The filters that a search leaves, in order: largest first by norm, change and activation.
 *
 * @param reached - The activation that each filter's pattern reached; filters without one come last.
 */
export function arrange(
  count: number,
  find: Find,
  sort: Sort,
  analysis: Analysis | null,
  reached: ReadonlyMap<number, number | null>,
): number[] {
  const tests = find.tests(analysis);
  const all = sort === "similar" && analysis?.order ? [...analysis.order] : Array.from({ length: count }, (_, i) => i);
  const kept = all.filter((filter) => tests.every((test) => test(filter)));
  if (sort === "index" || sort === "similar") return kept;
  const value = (filter: number) =>
    (sort === "reached" ? reached.get(filter) : numberOf(analysis, filter, sort)) ?? Number.NEGATIVE_INFINITY;
  return kept.sort((a, b) => value(b) - value(a) || a - b);
}

/** Picks pieces of `size` numbers each, in the order given. */
export function gather(values: Float32Array, size: number, order: readonly number[]): Float32Array {
  const out = new Float32Array(order.length * size);
  order.forEach((from, to) => {
    out.set(values.subarray(from * size, (from + 1) * size), to * size);
  });
  return out;
}

/** A number, where it is one that sums may have. */
export const finite = (value = 0): number => (Number.isFinite(value) ? value : 0);

/** The indices of pieces of `size` numbers, that of the largest L2 norm first. */
export function byNorm(values: Float32Array, size: number): number[] {
  const energy = Array.from({ length: values.length / size }, (_, i) =>
    values.subarray(i * size, (i + 1) * size).reduce((sum, value) => sum + finite(value) ** 2, 0),
  );
  return energy.map((_, i) => i).sort((a, b) => (energy[b] as number) - (energy[a] as number) || a - b);
}
