/** Numbers and times as people read them. */

/** A number, or the nearest in `least..most`; `least` where there is none. */
export const clamp = (least: number, value: number, most: number): number => Math.max(least, Math.min(most, value));

/** Four significant digits; small and large numbers with an exponent. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("-", "−");
}

/** A number between -1 and 1, where more digits would say nothing. */
export const formatCosine = (value: number): string => value.toFixed(2).replace("-", "−");

/** A number whose sign is always shown. */
export const formatSigned = (value: number): string => (value > 0 ? `+${formatNumber(value)}` : formatNumber(value));

// Made once: to make them takes longer than to use them a hundred times.
const wholes = new Intl.NumberFormat();
const times = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
});

/** A count or a step, with the reader's own marks between thousands. */
export const formatWhole = (value: number): string => wholes.format(value);

/** `wallTime` in seconds since 1970, in the reader's own time zone and manner. */
export function formatTime(wallTime: number | undefined): string {
  return wallTime === undefined ? "" : times.format(wallTime * 1000);
}

export const plural = (count: number, noun: string): string => `${formatWhole(count)} ${noun}${count === 1 ? "" : "s"}`;

/** The class of what shows a value, dimmed while that is `stale`: of another step or filter than the one asked for. */
export const dimmed = (stale: boolean, name = ""): string => (stale ? `${name} stale` : name);
