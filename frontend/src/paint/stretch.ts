/** Stretches the contrast of a picture, in place: its darkest level becomes 0 and its brightest 255, over all colours. */
export function stretch(rgba: Uint8ClampedArray): void {
  let low = 255;
  let high = 0;
  for (let i = 0; i < rgba.length; i++) {
    if (i % 4 === 3) continue;
    const level = rgba[i] as number;
    if (level < low) low = level;
    if (level > high) high = level;
  }
  if (high <= low) return;
  for (let i = 0; i < rgba.length; i++) {
    if (i % 4 !== 3) rgba[i] = (((rgba[i] as number) - low) * 255) / (high - low);
  }
}
