/** Decodes the binary answers of the server (`http_api.md`, "Frames"). Every length is checked before it is used. */
import { decodeHalf } from "./paint/halffloat";

/** Some filters of one kernel at one step. */
export interface KernelFrame {
  /** `[filters, inputs, *spatial]`. */
  readonly shape: readonly number[];
  /** The weights, C order, as `shape` says. */
  readonly values: Float32Array;
  /** Half-open range of filters. */
  readonly filters: readonly [number, number];
  /** The largest finite magnitude of each filter, and of the layer. */
  readonly limits: readonly number[];
  readonly limit: number;
  /** For the strongest slices: the input of each. */
  readonly chosen?: readonly number[] | null;
  readonly nonfinite: number;
}

/** Pictures of some filters. */
export interface PatternFrame {
  readonly filters: readonly number[];
  /** `(height, width, channels)` of each picture. */
  readonly shape: readonly number[];
  /** PNG files, in the order of `filters`. */
  readonly pictures: readonly Blob[];
  readonly start: readonly (number | null)[];
  readonly reached: readonly (number | null)[];
  readonly failed: readonly boolean[];
  /** The most that noise, and that natural inputs, reach; the percentile of these that the picture reaches. */
  readonly noise: readonly (number | null)[];
  readonly natural: readonly (number | null)[];
  readonly percentile: readonly (number | null)[];
  /** 1 where these numbers are those at spots of a grid, 0 where on average; null where it is not known. */
  readonly spots: readonly (number | null)[];
  /** The activation before each step, and last that reached, of each filter; where it was asked for. */
  readonly curve?: readonly (readonly (number | null)[])[];
  readonly recipe: string;
  /** What was maximised; empty where it is not known. */
  readonly objective: string;
  readonly steps: number;
  readonly input_range: readonly [number, number] | null;
}

type Head = Record<string, unknown>;

function fail(what: string): never {
  throw new Error(`The server's answer is damaged: ${what}.`);
}

/** Splits a frame into its description and its body. */
export function splitFrame(buffer: ArrayBuffer): { head: Head; body: Uint8Array<ArrayBuffer> } {
  if (buffer.byteLength < 4) fail(`${buffer.byteLength} bytes cannot be a frame`);
  const length = new DataView(buffer).getUint32(0, true);
  const end = 4 + length;
  if (end > buffer.byteLength) fail(`its description claims ${length} of ${buffer.byteLength} bytes`);
  if (end % 8) fail("its body does not start at a multiple of 8 bytes");
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 4, length)));
  } catch {
    fail("its description is not JSON");
  }
  if (typeof head !== "object" || head === null || Array.isArray(head)) fail("its description is not a JSON object");
  return { head: head as Head, body: new Uint8Array(buffer, end) };
}

/** A list in a description whose items all pass a test. */
function list<T>(head: Head, key: string, length: number | null, test: (item: unknown) => item is T): readonly T[] {
  const value = head[key];
  if (!Array.isArray(value) || !value.every(test)) fail(`"${key}" is not what it should be`);
  if (length !== null && value.length !== length) fail(`"${key}" has ${value.length} items, not ${length}`);
  return value;
}

const isCount = (item: unknown): item is number => Number.isSafeInteger(item) && (item as number) >= 0;
const isNumber = (item: unknown): item is number => typeof item === "number" && Number.isFinite(item);
const isNumberOrNull = (item: unknown): item is number | null => item === null || isNumber(item);
const isCurve = (item: unknown): item is (number | null)[] => Array.isArray(item) && item.every(isNumberOrNull);
const isFlag = (item: unknown): item is boolean => typeof item === "boolean";

/**
 * A description, some of whose keys are lists: checked, these are what they are declared to be.
 *
 * @param lists - Of each list what its items are.
 */
function checked<T>(head: Head, length: number, lists: Readonly<Record<string, (item: unknown) => boolean>>): T {
  for (const key of Object.keys(lists)) list(head, key, length, lists[key] as (item: unknown) => item is unknown);
  return head as T;
}

/** The input of each filter is there where strongest slices were asked for. */
const chosenIn = ({ chosen }: Head) => (chosen ? { chosen: isCount } : {});

/** The shape of a frame of numbers, and the numbers. */
function decodeNumbers(buffer: ArrayBuffer): { head: Head; shape: readonly number[]; values: Float32Array } {
  const { head, body } = splitFrame(buffer);
  const shape = list(head, "shape", null, isCount);
  const numbers = shape.reduce((product, size) => product * size, 1);
  const size = head.dtype === "float16" ? 2 : head.dtype === "float32" ? 4 : fail(`its dtype is ${head.dtype}`);
  if (shape.length < 2 || numbers * size !== body.byteLength) {
    fail(`${numbers} numbers of ${size} bytes were announced, ${body.byteLength} bytes came`);
  }
  const values =
    size === 2
      ? decodeHalf(new Uint16Array(buffer, body.byteOffset, numbers))
      : new Float32Array(buffer, body.byteOffset, numbers);
  return { head, shape, values };
}

/** Decodes an answer of `kernels`. */
export function decodeKernels(buffer: ArrayBuffer): KernelFrame {
  const { head, shape, values } = decodeNumbers(buffer);
  const [filters = 0] = shape;
  list(head, "filters", 2, isCount);
  if (!isNumber(head.limit)) fail('"limit" is not a number');
  return { ...checked<KernelFrame>(head, filters, { limits: isNumber, ...chosenIn(head) }), shape, values };
}

/** One filter over its steps. */
export interface FilterHistory {
  readonly steps: readonly number[];
  readonly norms: readonly (number | null)[];
  readonly changes: readonly (number | null)[];
  /** `[steps, inputs, *spatial]`. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Decodes an answer of `history` about one filter. */
export function decodeHistory(buffer: ArrayBuffer): FilterHistory {
  const { head, shape, values } = decodeNumbers(buffer);
  const lists = { steps: isNumber, norms: isNumberOrNull, changes: isNumberOrNull };
  return { ...checked<FilterHistory>(head, shape[0] ?? 0, lists), shape, values };
}

/** Two kernels side by side: of each filter of A its partner of B. */
export interface Comparison {
  /** `[2, filters, inputs, *spatial]`. */
  readonly shape: readonly number[];
  /** All of A, then all of B. */
  readonly values: Float32Array;
  /** The filter of B, -1 for none. */
  readonly partners: readonly number[];
  /** The filters of B that are nobody's partner. */
  readonly unpaired: readonly number[];
  /** `|B - A| / |A|` and the cosine, of each pair and of all together; null where unknown. */
  readonly changes: readonly (number | null)[];
  readonly cosines: readonly (number | null)[];
  readonly change: number | null;
  readonly cosine: number | null;
  /** For the strongest slices of A: the input of each. */
  readonly chosen: readonly number[] | null;
}

/** Decodes an answer of `compare`. */
export function decodeComparison(buffer: ArrayBuffer): Comparison {
  const { head, shape, values } = decodeNumbers(buffer);
  const [sides, count = 0] = shape;
  if (sides !== 2) fail(`it has ${sides} sides`);
  list(head, "unpaired", null, isCount);
  const isPlace = (item: unknown) => item === -1 || isCount(item);
  const lists = { partners: isPlace, changes: isNumberOrNull, cosines: isNumberOrNull, ...chosenIn(head) };
  return { ...checked<Comparison>(head, count, lists), shape, values };
}

/** Decodes an answer of `patterns`. */
export function decodePatterns(buffer: ArrayBuffer): PatternFrame {
  const { head, body } = splitFrame(buffer);
  const filters = list(head, "filters", null, isCount);
  const lengths = list(head, "lengths", filters.length, isCount);
  if (lengths.reduce((sum, length) => sum + length, 0) !== body.byteLength) fail("its pictures are cut short");
  let offset = 0;
  const pictures = lengths.map((length) => {
    offset += length;
    return new Blob([body.subarray(offset - length, offset)], { type: "image/png" });
  });
  const numbers = {
    start: isNumberOrNull,
    reached: isNumberOrNull,
    failed: isFlag,
    noise: isNumberOrNull,
    natural: isNumberOrNull,
    percentile: isNumberOrNull,
    spots: isNumberOrNull,
  };
  list(head, "shape", 3, isCount);
  if (head.input_range) list(head, "input_range", 2, isNumber);
  const lists = { ...numbers, ...(head.curve ? { curve: isCurve } : {}) };
  return { ...checked<PatternFrame>(head, filters.length, lists), pictures };
}
