/** Which filters of a card are shown, and in which order. */
import { useMemo } from "preact/hooks";
import { type Analysis, analysisUrl, type Datum, patternsUrl } from "../api";
import type { PatternFrame } from "../frames";
import { type Resource, useAnalysis, usePatterns } from "../resource";
import { arrange, isDeep, parseFind } from "../selection";
import { cards, datumOf, picks } from "../state";

interface Arranged {
  /** null while the numbers for it are on their way, or where all filters are shown by index. */
  readonly order: number[] | null;
  /** Whether the order is by numbers of another step than the one asked for, or still unknown. */
  readonly stale: boolean;
  readonly error: string;
}

/** Those of an order, or of all, that have a pattern. */
export const withPattern = (order: readonly number[] | null, { filters }: PatternFrame): readonly number[] =>
  order?.filter((filter) => filters.includes(filter)) ?? filters;

/**
 * The filters that the search leaves, sorted.
 *
 * @param datum - The kernel whose numbers count; null where none was logged.
 * @param stored - The numbers of that kernel that were stored; null where no order is asked for.
 * @param most - How many filters there is room for; all unasked.
 */
export function useArranged(
  datum: Datum | null,
  stored: Resource<Analysis> | null,
  run: string,
  most?: number,
): Arranged {
  const { find: text, sort } = picks();
  const asked = !!stored && (!!text.trim() || sort !== "index");
  const find = useMemo(() => parseFind(text), [text]);
  const patterns = cards().find((card) => card.run === run)?.patterns;
  const pictures = sort === "reached" || !datum ? datumOf(run, patterns ?? null) : null;
  const frame = usePatterns(pictures && patternsUrl(pictures, "all"));
  const deep = find.deep || isDeep(sort);
  const full = useAnalysis(asked && datum && deep ? analysisUrl(datum, "full") : null);
  const numbers = deep ? full : stored;
  const analysis = numbers?.value ?? null;
  // Where no kernel was logged, there are the filters that have patterns.
  const count = most ?? datum?.series.filters ?? 1 + Math.max(-1, ...(frame.value?.filters ?? []));
  const order = useMemo(() => {
    if (!count || !asked || (datum && !analysis && sort !== "reached")) return null;
    const reached = new Map(frame.value?.filters.map((filter, i) => [filter, frame.value?.reached[i] ?? null]));
    return arrange(count, find, sort, analysis, reached);
  }, [asked, find, sort, !datum, analysis, frame.value, count]);
  return {
    order,
    stale: asked && (numbers?.stale || frame.stale),
    error: find.error || (asked && (numbers?.error || frame.error)) || "",
  };
}
