/** The numbers of a filter, or of two filters side by side, and what they mean. */
import type { ComponentChildren } from "preact";
import { type Analysis, numberOf } from "../api";
import { formatNumber } from "../format";

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
  change: ["Change since step before", "|after − before| / |before|: 0 is unchanged, 1 as much as there was"],
  cosine: ["Cosine, step before", "1: only the scale changed; 0: nothing in common; −1: the negative"],
  change_first: ["Change since first step", "|now − first| / |first|: 0 is unchanged, 1 as much as there was"],
  cosine_first: ["Cosine, first step", "1: only the scale changed; 0: nothing in common; −1: the negative"],
};
const SHARES = ["near_zero", "high_frequency", "colour"];

/** A number with its unit, if it has one. */
export function numberText(value: number | null, name: string): string {
  if (value === null) return "–";
  if (SHARES.includes(name)) return `${(100 * value).toFixed(1)} %`;
  return name === "orientation" ? `${value.toFixed(0)}°` : formatNumber(value);
}

function Row({ name, label, children }: { name: string; label?: string; children: ComponentChildren }) {
  const [text, hint] = LABELS[name] ?? [name, ""];
  return (
    <tr title={hint}>
      <th scope="row">{label ?? text}</th>
      {children}
    </tr>
  );
}

const named = ({ names }: Analysis): readonly string[] => names.filter((name) => name in LABELS);

export function Numbers({ analysis, filter }: { analysis: Analysis; filter: number }) {
  const { dtype, encoding } = analysis;
  return (
    <table class="numbers" data-testid="numbers">
      <tbody>
        {named(analysis)
          .filter((name) => numberOf(analysis, filter, name) !== null)
          .map((name) => (
            <Row key={name} name={name}>
              <td data-name={name}>{numberText(numberOf(analysis, filter, name), name)}</td>
            </Row>
          ))}
        <tr title="Numbers are those of the exact weights, pictures those of the stored ones">
          <th scope="row">Type</th>
          <td>{encoding === dtype ? dtype : `${dtype}, stored as ${encoding}`}</td>
        </tr>
      </tbody>
    </table>
  );
}

interface PairNumbersProps {
  readonly a: Analysis;
  readonly b: Analysis;
  readonly filter: number;
  readonly partner: number;
  /** Of the pair, from A to B. */
  readonly change: number | null;
  readonly cosine: number | null;
}

export function PairNumbers({ a, b, filter, partner, change, cosine }: PairNumbersProps) {
  return (
    <table class="pair-numbers" data-testid="pair-numbers">
      <thead>
        <tr>
          <th scope="col">Number</th>
          <th scope="col">A: filter {filter}</th>
          <th scope="col">B: filter {partner}</th>
        </tr>
      </thead>
      <tbody>
        <Row name="change" label="Change from A to B">
          <td colSpan={2}>{numberText(change, "change")}</td>
        </Row>
        <Row name="cosine" label="Cosine of A and B">
          <td colSpan={2}>{numberText(cosine, "cosine")}</td>
        </Row>
        {named(a)
          .filter((name) => !/^(change|cosine)/.test(name))
          .map((name) => (
            <Row key={name} name={name}>
              <td>{numberText(numberOf(a, filter, name), name)}</td>
              <td>{numberText(numberOf(b, partner, name), name)}</td>
            </Row>
          ))}
      </tbody>
    </table>
  );
}
