/** IEEE 754 binary16, as kernels travel: 1 sign bit, 5 bits of exponent, 10 of significand. */

let table: Float32Array | null = null;

/**
 * The number a 16-bit code stands for.
 *
 * @param code - An integer in 0..65535.
 */
export function halfToNumber(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Decodes half floats. A table of all 65,536 numbers makes this one look-up a weight. */
export function decodeHalf(codes: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, code) => halfToNumber(code));
  const numbers = table;
  const out = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) out[i] = numbers[codes[i] as number] as number;
  return out;
}
