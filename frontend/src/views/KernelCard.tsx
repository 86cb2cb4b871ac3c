/** All filters of a layer, in one run, at one step. */
import { useState } from "preact/hooks";
import { analysisUrl, type Datum, numberOf } from "../api";
import { Basis } from "../components/Basis";
import { Card, ErrorText } from "../components/Card";
import { CompareWith } from "../components/CompareWith";
import { KernelPicture } from "../components/KernelPicture";
import { dimmed, plural } from "../format";
import type { Series } from "../model";
import { useAnalysis } from "../resource";
import { cursor, datumOf, meaning, openFilter } from "../state";

interface KernelCardProps {
  readonly run: string;
  readonly series: Series;
  readonly kernel: Series | null;
  readonly maxHeight: number;
}

/** It takes computing: only where somebody looks at it. */
function LayerBasis({ datum }: { datum: Datum }) {
  const { value, stale, error } = useAnalysis(analysisUrl(datum, "full"));
  return (
    <div class={dimmed(stale)}>
      <ErrorText>{error}</ErrorText>
      {value && <Basis analysis={value} series={datum.series} size={48} />}
    </div>
  );
}

function moveTo(filter: number): void {
  cursor.set(filter);
}

export function KernelCard({ run, series, maxHeight }: KernelCardProps) {
  const datum = datumOf(run, series);
  const [open, setOpen] = useState(false);
  const numbers = useAnalysis(datum && analysisUrl(datum));
  const { value: analysis, stale } = numbers;
  // Of the whole kernel, drawn or not.
  const nonfinite = analysis?.values.reduce((sum, _, i) => sum + (numberOf(analysis, i, "nonfinite") ?? 0), 0) ?? 0;
  return (
    <Card
      run={run}
      series={series}
      notes={
        <>
          {nonfinite > 0 && (
            <b class={dimmed(stale, "bad")} data-testid="nonfinite">
              ⚠ {plural(nonfinite, "weight")} not finite
            </b>
          )}
          {datum && <CompareWith datum={datum} />}
        </>
      }
    >
      {(at) => (
        <>
          <KernelPicture
            datum={{ run, series, at }}
            filter={null}
            numbers={numbers}
            cursor={cursor()}
            onCursor={moveTo}
            maxHeight={maxHeight}
            onOpen={openFilter}
          />
          <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
            <summary class="legend">{meaning("basis")[0]}</summary>
            {open && <LayerBasis datum={{ run, series, at }} />}
          </details>
        </>
      )}
    </Card>
  );
}
