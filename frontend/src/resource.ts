/** Pictures and numbers from the server, kept until newer ones are there. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Analysis, type Datum, get, kernelsUrl, type LayerHistory, patternsUrl, ServerError } from "./api";
import {
  decodeComparison,
  decodeHistory,
  decodeKernels,
  decodePatterns,
  type KernelFrame,
  type PatternFrame,
} from "./frames";
import { Lru } from "./lru";
import type { Series } from "./model";
import { answers, pending, refreshIndex } from "./state";

export interface Resource<T> {
  /** The newest value there is, possibly of an earlier address; null where nothing is asked for. */
  readonly value: T | null;
  /** The address that `value` came from. */
  readonly url: string | null;
  /** Whether that is not the address asked for, which is on its way or failed: shown, `value` has to be dimmed. */
  readonly stale: boolean;
  /** Why the address asked for failed; empty where it did not. */
  readonly error: string;
}

/** What is known so far, of whatever address. */
interface Answer<T> {
  readonly value: T | null;
  readonly url: string | null;
  /** The address that failed since, and why. */
  readonly failed?: string;
  readonly error?: string;
}

interface Loaded<T> {
  readonly value: T;
  readonly bytes: number;
}

type Load<T> = (url: string, signal: AbortSignal) => Promise<Loaded<T>>;

const CACHE_BYTES = 192 * 2 ** 20;
const cache = new Lru<unknown>(CACHE_BYTES);

/** A step may leave the log between index and request: look again at what there is, and try once more. */
async function loadTwice<T>(load: Load<T>, url: string, signal: AbortSignal): Promise<Loaded<T>> {
  try {
    return await load(url, signal);
  } catch (error) {
    if (!(error instanceof ServerError && error.status === 404)) throw error;
    await refreshIndex();
    signal.throwIfAborted();
    return load(url, signal);
  }
}

/** So long after the last change of mind a request for what is not wanted any more may go on. */
const PATIENCE_MS = 150;

/**
 * What an address holds; null asks for nothing.
 *
 * One request at a time: while a slider is dragged, one that is under way may end, as it brings the picture that is
 * nearest to the one wanted, and those that were passed before they began never begin.
 */
function useResource<T>(url: string | null, load: Load<T>): Resource<T> {
  const [state, setState] = useState<Answer<T>>({ value: null, url: null });
  const wanted = useRef(url);
  wanted.current = url;
  const flight = useRef<Promise<void>>(undefined);
  const gone = useRef(false);
  const giveUp = useRef(0);
  const passed = useRef<AbortController>(undefined);
  // Where there was no answer the next sign of life from the server starts another try; those after it leave it alone.
  const lost = useRef(false);
  const life = useRef(0);
  if (lost.current) life.current = answers();
  useLayoutEffect(
    () => () => {
      gone.current = true;
    },
    [],
  );
  useLayoutEffect(() => {
    // A slider that still moves lets requests end, however slow they are: aborted each time, nothing would be shown.
    clearTimeout(giveUp.current);
    giveUp.current = window.setTimeout(() => passed.current?.abort(), PATIENCE_MS);
    if (url === null) return;
    const known = cache.get(url) as T | undefined;
    if (known !== undefined) {
      setState({ value: known, url });
      return;
    }
    const abort = new AbortController();
    let begun = false;
    const fly = async (before: Promise<void> | undefined) => {
      await before;
      if (abort.signal.aborted) return;
      begun = true;
      lost.current = false;
      try {
        const { value, bytes } = await loadTwice(load, url, abort.signal);
        cache.set(url, value, bytes);
        setState((old) => (old.url === wanted.current ? old : { value, url }));
      } catch (error) {
        if (wanted.current !== url || abort.signal.aborted) return;
        lost.current = error instanceof ServerError && !error.status;
        setState((old) => ({ ...old, failed: url, error: (error as Error).message }));
      }
    };
    pending.value++;
    flight.current = fly(flight.current).finally(() => {
      pending.value--;
    });
    return () => {
      if (begun && !gone.current) passed.current = abort;
      else abort.abort();
    };
  }, [url, load, life.current]);
  return {
    ...state,
    value: url ? state.value : null,
    stale: !!url && state.url !== url,
    error: (state.failed === url && state.error) || "",
  };
}

/** What a decoder makes of an answer takes about twice its bytes: half floats become floats, a text a tree. */
const decoded =
  <T>(decode: (buffer: ArrayBuffer) => T): Load<T> =>
  async (url, signal) => {
    const buffer = await (await get(url, signal)).arrayBuffer();
    const bytes = 2 * buffer.byteLength;
    return { value: decode(buffer), bytes };
  };
const loadKernels = decoded(decodeKernels);
const loadPatterns = decoded(decodePatterns);

/** A hook for what addresses of one kind hold. */
const hook =
  <T>(load: Load<T>) =>
  (url: string | null): Resource<T> =>
    useResource(url, load);
const hookJson = <T>() => hook(decoded((buffer): T => JSON.parse(new TextDecoder().decode(buffer))));

export const useKernels = hook(loadKernels);
export const usePatterns = hook(loadPatterns);
export const useHistory = hook(decoded(decodeHistory));
export const useComparison = hook(decoded(decodeComparison));
export const useAnalysis = hookJson<Analysis>();
export const useLayerHistory = hookJson<LayerHistory>();

/** What several addresses hold, one a line. */
const several =
  <T>(load: Load<T>): Load<readonly T[]> =>
  async (urls, signal) => {
    const loaded = await Promise.all(urls.split("\n").map((url) => load(url, signal)));
    return { value: loaded.map(({ value }) => value), bytes: loaded.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
const loadFilters = several(loadKernels);
/** A step that is damaged, or gone meanwhile, costs no other one: it is null. */
const loadCourse = several<PatternFrame | null>((url, signal) =>
  loadPatterns(url, signal).catch((error) => {
    if (!error.status) throw error;
    return { value: null, bytes: 0 };
  }),
);

/** All slices of some filters, in their order. */
export const useFilters = (datum: Datum, filters: readonly number[]): Resource<readonly KernelFrame[]> =>
  useResource(filters.map((filter) => kernelsUrl(datum, String(filter), "all")).join("\n") || null, loadFilters);

/** A filter's patterns at some places of a series; null for what cannot be read. */
export const usePatternCourse = (
  run: string,
  series: Series,
  places: readonly number[],
  filter: number,
): Resource<readonly (PatternFrame | null)[]> =>
  useResource(places.map((at) => patternsUrl({ run, series, at }, String(filter))).join("\n"), loadCourse);
