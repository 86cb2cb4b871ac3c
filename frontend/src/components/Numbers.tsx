/** The numbers of a filter, or of two filters side by side, and what they mean. */
import { type Analysis, numberOf } from "../api";
import { formatNumber } from "../format";
import { meaning } from "../state";

/** A number with its unit, if it has one. */
function numberText(value: number | null, unit: string): string {
  if (value === null) return "–";
  if (unit === "%") return `${(100 * value).toFixed(1)} %`;
  return unit ? value.toFixed(0) + unit : formatNumber(value);
}

type FilterOf = readonly [analysis: Analysis, filter: number];

/** @param of - One filter, or two side by side, without what each says of its own past. */
export function Numbers({ of }: { of: readonly FilterOf[] }) {
  const [[{ names, dtype, encoding }]] = of as [FilterOf];
  const shown = names.filter(
    (name) =>
      meaning(name)[0] &&
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
        {shown.map((name) => {
          const [label, sentence, unit] = meaning(name);
          return (
            <tr key={name} title={sentence}>
              <th scope="row">{label}</th>
              {of.map(([analysis, filter], i) => (
                <td key={i} data-name={name}>
                  {numberText(numberOf(analysis, filter, name), unit)}
                </td>
              ))}
            </tr>
          );
        })}
        {of.length < 2 && (
          <tr title={meaning("dtype")[1]}>
            <th scope="row">Type</th>
            <td>{encoding === dtype ? dtype : `${dtype}, stored as ${encoding}`}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
