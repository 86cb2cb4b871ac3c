/** Some filters of a layer beside each other: all their slices, the same input in the same column, and their cosines. */
import type { Datum } from "../api";
import { ErrorText } from "../components/Card";
import { Strip } from "../components/Strip";
import { dimmed, formatNumber } from "../format";
import { inputsOf, layerTitle, spatialOf } from "../model";
import { tileOf } from "../paint/mosaic";
import { useFilters } from "../resource";
import { cosine } from "../sides";

/** More are not seen side by side. */
const MOST = 16;
/** Height of a slice in CSS pixels, and how wide all of them may be: a canvas has its limits. */
const SLICE = 36;
const WIDEST = 4000;

export function SideBySide({ datum, filters }: { datum: Datum; filters: readonly number[] }) {
  const shown = filters.slice(0, MOST);
  const { value, stale, error } = useFilters(datum, shown);
  if (shown.length < 2) return null;
  if (error) return <ErrorText>{error}</ErrorText>;
  // What was found for other filters is not that of these.
  if (value?.length !== shown.length || value.some((frame, i) => frame.filters[0] !== shown[i])) return null;
  const { series } = datum;
  const limit = Math.max(0, ...value.map(({ limits }) => limits[0] ?? 0));
  return (
    <section class={dimmed(stale, "beside")}>
      <h3>Filters of A side by side, on one scale{shown.length < filters.length && ` (the first ${MOST})`}</h3>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Filter</th>
              {shown.map((filter) => (
                <th key={filter} scope="col" title={`Cosine with filter ${filter}`}>
                  cos {filter}
                </th>
              ))}
              <th scope="col">All slices, input by input</th>
            </tr>
          </thead>
          <tbody>
            {value.map(({ filters: [filter], values, nonfinite }) => (
              <tr key={filter}>
                <th scope="row">{filter}</th>
                {value.map((other) => (
                  <td key={other.filters[0]} data-pair={`${filter},${other.filters[0]}`}>
                    {formatNumber(cosine(values, other.values))}
                  </td>
                ))}
                <td>
                  <Strip
                    values={values}
                    tile={tileOf(spatialOf(series))}
                    count={inputsOf(series)}
                    size={Math.min(SLICE, WIDEST / inputsOf(series))}
                    limitOf={() => limit}
                    hatched={nonfinite > 0}
                    label={`all slices of filter ${filter} of ${layerTitle(series)}`}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
