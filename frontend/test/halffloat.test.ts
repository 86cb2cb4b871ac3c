import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHalf, halfToNumber } from "../src/paint/halffloat";

/** The same number by another way: the bits are moved into a binary32, whose meaning the engine knows. */
function byBits(code: number): number {
  const sign = (code & 0x8000) << 16;
  const exponent = (code >> 10) & 0x1f;
  const fraction = code & 0x3ff;
  const view = new DataView(new ArrayBuffer(4));
  if (exponent === 31) {
    view.setUint32(0, (sign | 0x7f800000 | (fraction << 13)) >>> 0);
    return view.getFloat32(0);
  }
  // With the exponent's bias corrected by 2^112, subnormal numbers come out right as well.
  view.setUint32(0, (sign | ((code & 0x7fff) << 13)) >>> 0);
  return view.getFloat32(0) * 2 ** 112;
}

test("each of the 65,536 codes is decoded as IEEE 754 says", () => {
  const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
  const decoded = decodeHalf(codes);
  for (const code of codes) {
    assert.ok(Object.is(halfToNumber(code), byBits(code)), `code ${code}`);
    assert.ok(Object.is(decoded[code], byBits(code)), `code ${code} in an array`);
  }
});

test("well-known codes", () => {
  assert.deepEqual(
    [...decodeHalf(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555))],
    [1, -2, 65504, 2 ** -24, 1365 / 4096],
  );
});
