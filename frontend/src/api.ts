/** The server's routes (`http_api.md`), by relative addresses: TensorBoard may live below any path. */
import { type Index, type Input, onePicture, type Series, timeAt } from "./model";
import type { Match } from "./picks";

/** An answer other than 2xx; the message is the server's own text. Status 0: there was no answer. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const LONGEST_MESSAGE = 500;

/** Fetches an address. Network failures and refusals become errors that can be shown. */
export async function get(url: string, signal: AbortSignal | null = null): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServerError(0, "TensorBoard does not answer. Is it still running?");
  }
  if (response.ok) return response;
  const isText = response.headers.get("Content-Type")?.startsWith("text/plain");
  const text = isText ? (await response.text()).slice(0, LONGEST_MESSAGE) : "";
  throw new ServerError(response.status, text || `TensorBoard answered ${response.status} ${response.statusText}.`);
}

/** Reads the text of `index`, in which series name the timeline of their run that is theirs. */
export function parseIndex(text: string): Index {
  const index = JSON.parse(text);
  if (index.version !== 1) {
    throw new Error(`This page is older than the server: it knows version 1 of the index. Received: ${index.version}`);
  }
  for (const { timelines, series } of index.runs) {
    for (const one of series) Object.assign(one, timelines[one.timeline]);
  }
  return index;
}

/** One datum: a series at one of its steps. */
export interface Datum {
  readonly run: string;
  readonly series: Series;
  /** Position in `series.steps`. */
  readonly at: number;
}

/**
 * The address of something about a datum. It carries the time of writing, or the version of all steps where others count
 * too, so that it may be cached for good.
 */
function address(route: string, { run, series, at }: Datum, more: Record<string, string>, whole?: boolean): string {
  const query = new URLSearchParams({ run, tag: series.tag, step: String(series.steps[at]), ...more });
  query.set("v", whole ? series.version : String(timeAt(series, at)));
  return `${route}?${query}`;
}

export const kernelsUrl = (datum: Datum, filters: string, input: Input): string =>
  address("kernels", datum, { filters, inputs: String(input) });

export const analysisUrl = (datum: Datum, depth: "stored" | "full" = "stored"): string =>
  depth === "full" ? address("analysis", datum, { depth }, true) : address("analysis", datum, {});

/** Two kernels side by side. A whole filter has no picture of its own: its strongest slice stands for it. */
export function compareUrl(
  a: Datum,
  { run, series, at }: Datum,
  match: Exclude<Match, "auto">,
  input: Input,
  file?: Record<string, string>,
): string {
  const b = { run_b: run, tag_b: series.tag, step_b: String(series.steps[at]) };
  const url = address(file ? "export" : "compare", a, { ...file, ...b, match, inputs: String(onePicture(input)) });
  return `${url}-${timeAt(series, at)}`;
}

/** The course of a layer, or of one filter. */
export const historyUrl = (run: string, series: Series, filter: number | null, input: Input = "strongest"): string => {
  const at = series.steps.length - 1;
  return address(
    "history",
    { run, series, at },
    filter === null ? {} : { filter: String(filter), inputs: String(onePicture(input)) },
    true,
  );
};

/** With `{ curve: "yes" }` also the way to each picture. */
export const patternsUrl = (datum: Datum, filters: string, more: Record<string, string> = {}): string =>
  address("patterns", datum, { filters, ...more });

/** A file to save; `options` are those of the route `export`. */
export const exportUrl = (datum: Datum, options: Record<string, string>): string =>
  address("export", datum, options, true);

/** Per-filter numbers of a kernel. */
export interface Analysis {
  readonly names: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly dtype: string;
  readonly encoding: string;
  /** The rest is there in full depth only. */
  readonly order?: readonly number[];
  readonly nearest?: readonly (readonly number[])[];
  readonly nearest_cosines?: readonly (readonly (number | null)[])[];
  readonly layer?: Quality;
  readonly basis?: { readonly pictures: readonly number[][]; readonly explained: readonly number[] } | null;
}

/** Numbers about a layer; null where they do not apply. */
export interface Quality {
  readonly orthogonality: number;
  readonly slices: number;
  readonly sparsity: number | null;
  readonly entropy: number | null;
  readonly bound: number | null;
  readonly randomness: number | null;
}

/** The course of a layer over its steps. */
export interface LayerHistory {
  readonly steps: readonly number[];
  /** Five quantiles of the norms a step. */
  readonly norms: readonly (readonly number[] | null)[];
  readonly change_steps: readonly number[];
  readonly changes: readonly (number | null)[];
}

/** One number of one filter; null where it is unknown or not finite. */
export function numberOf(analysis: Analysis | null, filter: number, name: string): number | null {
  const column = analysis?.names.indexOf(name) ?? -1;
  return analysis?.values[filter]?.[column] ?? null;
}
