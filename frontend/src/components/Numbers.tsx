/** The numbers of one filter, computed from the exact weights when they were logged. */
import { type Analysis, numberOf } from "../api";
import { formatNumber } from "../format";

const LABELS: Readonly<Record<string, string>> = {
  norm: "L2 norm",
  min: "Minimum",
  max: "Maximum",
  mean: "Mean",
  std: "Std. deviation",
  near_zero: "Below 1% of layer’s max",
  nonfinite: "Not finite",
  l1: "L1 norm",
  high_frequency: "High frequencies",
  orientation: "Orientation, degrees",
  colour: "Colour share",
  change: "Change since step before",
  cosine: "Cosine with step before",
  change_first: "Change since first step",
  cosine_first: "Cosine with first step",
};

function text(value: number | null, name: string): string {
  if (value === null) return "–";
  return name === "near_zero" ? `${(100 * value).toFixed(1)} %` : formatNumber(value);
}

export function Numbers({ analysis, filter }: { analysis: Analysis; filter: number }) {
  const { names, dtype, encoding } = analysis;
  return (
    <table data-testid="numbers">
      <tbody>
        {names
          .filter((name) => name in LABELS && numberOf(analysis, filter, name) !== null)
          .map((name) => (
            <tr key={name}>
              <th scope="row">{LABELS[name] ?? name}</th>
              <td data-name={name}>{text(numberOf(analysis, filter, name), name)}</td>
            </tr>
          ))}
        <tr>
          <th scope="row">Type</th>
          <td>{encoding === dtype ? dtype : `${dtype}, stored as ${encoding}`}</td>
        </tr>
      </tbody>
    </table>
  );
}
