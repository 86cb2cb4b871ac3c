/** All filters of a layer, in one run, at one step. */
import { analysisUrl, numberOf } from "../api";
import { Card } from "../components/Card";
import { CompareWith } from "../components/CompareWith";
import { KernelPicture } from "../components/KernelPicture";
import { plural } from "../format";
import type { Series } from "../model";
import { useAnalysis } from "../resource";
import { cursor, openFilter, placeIn } from "../state";

interface KernelCardProps {
  readonly run: string;
  readonly series: Series;
  readonly kernel: Series | null;
  readonly maxHeight: number;
}

function moveTo(filter: number): void {
  cursor.value = filter;
}

export function KernelCard({ run, series, maxHeight }: KernelCardProps) {
  const newest = placeIn(series);
  const { value: analysis } = useAnalysis(newest < 0 ? null : analysisUrl({ run, series, at: newest }));
  // Of the whole kernel, drawn or not.
  const nonfinite = analysis?.values.reduce((sum, _, i) => sum + (numberOf(analysis, i, "nonfinite") ?? 0), 0) ?? 0;
  return (
    <Card
      run={run}
      series={series}
      notes={
        <>
          {nonfinite > 0 && (
            <b class="bad" data-testid="nonfinite">
              ⚠ {plural(nonfinite, "weight")} not finite
            </b>
          )}
          <CompareWith datum={{ run, series, at: newest }} />
        </>
      }
    >
      {(at) => (
        <KernelPicture
          datum={{ run, series, at }}
          filter={null}
          analysis={analysis}
          cursor={cursor.value}
          onCursor={moveTo}
          maxHeight={maxHeight}
          onOpen={openFilter}
        />
      )}
    </Card>
  );
}
