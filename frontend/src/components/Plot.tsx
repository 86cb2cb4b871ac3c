/** A small plot of numbers over steps: a line, in a band where there is one. */
import { formatNumber } from "../format";

const WIDTH = 160;
const HEIGHT = 44;

interface PlotProps {
  readonly label: string;
  readonly steps: readonly number[];
  readonly line: readonly (number | null | undefined)[];
  /** Lower and upper edge of a band at each step. */
  readonly band?: readonly (readonly [number, number] | null)[];
  /** The step to mark. */
  readonly mark?: number | undefined;
}

export function Plot({ label, steps, line, band = [], mark }: PlotProps) {
  const known = [...line, ...band.flat()].filter((value): value is number => typeof value === "number");
  const high = Math.max(...known);
  const low = Math.min(0, ...known);
  const first = steps[0] ?? 0;
  const x = (step: number) => 2 + ((step - first) / Math.max(1, (steps.at(-1) ?? 0) - first)) * (WIDTH - 4);
  const y = (value: number) => HEIGHT - 3 - ((value - low) / (high - low || 1)) * (HEIGHT - 6);
  const points = (values: readonly (number | null | undefined)[]) =>
    steps.flatMap((step, i) => {
      const value = values[i];
      return typeof value === "number" ? [`${x(step).toFixed(1)},${y(value).toFixed(1)}`] : [];
    });
  const newest = line.findLast((value) => typeof value === "number");
  const drawn = points(line);
  const [x1, y1] = (drawn[0] ?? "").split(",");
  if (!known.length) return <i class="plot">{label}: –</i>;
  return (
    <figure class="plot">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${label} over ${steps.length} steps, from ${formatNumber(Math.min(...known))} to ${formatNumber(high)}, at last ${formatNumber(newest)}`}
      >
        {band.length > 0 && (
          <polygon
            points={[...points(band.map((b) => b?.[0])), ...points(band.map((b) => b?.[1])).reverse()].join(" ")}
          />
        )}
        {mark !== undefined && <line x1={x(mark)} x2={x(mark)} y1={0} y2={HEIGHT} />}
        <polyline points={drawn.join(" ")} />
        {drawn.length === 1 && <circle cx={x1} cy={y1} r={2} />}
      </svg>
      <i>
        {label} {formatNumber(newest)}
      </i>
    </figure>
  );
}
