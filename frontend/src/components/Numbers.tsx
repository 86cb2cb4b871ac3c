/** The numbers of a filter, or of two filters side by side, and what they mean. */
import { type Analysis, numberOf } from "../api";
import { formatNumber } from "../format";

/** A relative change and a cosine, explained. */
export const CHANGE = "|after − before| / |before|: 0 is unchanged, 1 as much as there was";
export const COSINE = "1: only the scale changed; 0: nothing in common; −1: the negative";

/** What a number is called, and what it says. */
const LABELS: Readonly<Record<string, readonly [label: string, hint: string]>> = {
  norm: ["L2 norm", "Root of the sum of the squares of all weights"],
  min: ["Minimum", "The smallest weight"],
  max: ["Maximum", "The largest weight"],
  mean: ["Mean", "Of all weights"],
  std: ["Std. deviation", "Of all weights, about their mean"],
  near_zero: ["Near zero", "Share of weights smaller than 1% of the layer’s largest"],
  nonfinite: ["Not finite", "How many weights are not a number or infinite"],
  l1: ["L1 norm", "Sum of the magnitudes of all weights"],
  high_frequency: [
    "High frequencies",
    "Share of the spectral power above 0.25 cycles a pixel: 0 is smooth, 1 alternates",
  ],
  orientation: ["Orientation", "The direction of fastest change: 0° from left to right, 90° from top to bottom"],
  colour: ["Colour", "Share of the filter that is not grey: 0 sees brightness alone, 1 colour alone"],
  change: ["Change since step before", CHANGE],
  cosine: ["Cosine, step before", COSINE],
  change_first: ["Change since first step", CHANGE],
  cosine_first: ["Cosine, first step", COSINE],
};
const SHARES = ["near_zero", "high_frequency", "colour"];

/** A number with its unit, if it has one. */
function numberText(value: number | null, name: string): string {
  if (value === null) return "–";
  if (SHARES.includes(name)) return `${(100 * value).toFixed(1)} %`;
  return name === "orientation" ? `${value.toFixed(0)}°` : formatNumber(value);
}

type FilterOf = readonly [analysis: Analysis, filter: number];

/** @param of - One filter, or two side by side, without what each says of its own past. */
export function Numbers({ of }: { of: readonly FilterOf[] }) {
  const [[{ names, dtype, encoding }]] = of as [FilterOf];
  const shown = names.filter(
    (name) =>
      name in LABELS &&
      (of.length < 2 || !/^(change|cosine)/.test(name)) &&
      of.some(([analysis, filter]) => numberOf(analysis, filter, name) !== null),
  );
  return (
    <table data-testid="numbers">
      {of.length > 1 && (
        <thead>
          <tr>
            <td />
            {of.map(([, filter], i) => (
              <th key={i} scope="col">
                {"AB"[i]}: filter {filter}
              </th>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {shown.map((name) => (
          <tr key={name} title={LABELS[name]?.[1]}>
            <th scope="row">{LABELS[name]?.[0]}</th>
            {of.map(([analysis, filter], i) => (
              <td key={i} data-name={name}>
                {numberText(numberOf(analysis, filter, name), name)}
              </td>
            ))}
          </tr>
        ))}
        {of.length < 2 && (
          <tr title="Numbers are those of the exact weights, pictures those of the stored ones">
            <th scope="row">Type</th>
            <td>{encoding === dtype ? dtype : `${dtype}, stored as ${encoding}`}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
