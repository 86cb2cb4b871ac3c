/** All filters of a layer, in one run, at one step. */
import { analysisUrl, numberOf } from "../api";
import { Card } from "../components/Card";
import { CompareWith } from "../components/CompareWith";
import { KernelPicture } from "../components/KernelPicture";
import { dimmed, plural } from "../format";
import type { Series } from "../model";
import { useAnalysis } from "../resource";
import { cursor, datumOf, openFilter } from "../state";

interface KernelCardProps {
  readonly run: string;
  readonly series: Series;
  readonly kernel: Series | null;
  readonly maxHeight: number;
}

function moveTo(filter: number): void {
  cursor.set(filter);
}

export function KernelCard({ run, series, maxHeight }: KernelCardProps) {
  const datum = datumOf(run, series);
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
        <KernelPicture
          datum={{ run, series, at }}
          filter={null}
          numbers={numbers}
          cursor={cursor()}
          onCursor={moveTo}
          maxHeight={maxHeight}
          onOpen={openFilter}
        />
      )}
    </Card>
  );
}
