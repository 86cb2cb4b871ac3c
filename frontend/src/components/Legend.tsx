/** The colour bar of a kernel, and what its marks mean. */
import { formatNumber, formatWhole } from "../format";
import { gradient } from "../paint/colormap";
import { colours } from "../state";

interface LegendProps {
  /** The limit of the scale; null where each filter has its own. */
  readonly limit: number | null;
  readonly rgb: boolean;
  readonly nonfinite?: number;
  readonly clipped?: number;
  /** What the scale ends at where it has no one limit. */
  readonly otherwise?: string;
}

export function Legend({ limit, rgb, nonfinite = 0, clipped = 0, otherwise = "filter’s max" }: LegendProps) {
  const end = limit === null ? otherwise : formatNumber(limit);
  const bars = rgb
    ? ["red", "lime", "blue"].map((colour) => `linear-gradient(to right,#000,gray,${colour})`)
    : [gradient(colours())];
  return (
    <div class="legend line">
      −{end}
      {bars.map((background) => (
        <span key={background} class={rgb ? "bar rgb" : "bar"} style={{ background }} />
      ))}
      +{end}
      {rgb && <i>0 is mid grey</i>}
      {nonfinite > 0 && (
        <span class="line">
          <span class="hatch" /> {formatWhole(nonfinite)} not finite
        </span>
      )}
      {clipped > 0 && (
        <span class="line">
          <span class="dot" /> {formatWhole(clipped)} beyond the scale
        </span>
      )}
    </div>
  );
}
