/** One filter over its steps, and the filters that resemble it. */

import { type Analysis, historyUrl, numberOf } from "../api";
import { ErrorText } from "../components/Card";
import { Button } from "../components/controls";
import { PatternPicture } from "../components/PatternPicture";
import { Plot } from "../components/Plot";
import { Strip } from "../components/Strip";
import { dimmed, formatCosine } from "../format";
import { evenly, resolveInput, type Series, spatialOf } from "../model";
import { tileOf } from "../paint/mosaic";
import { useHistory, usePatternCourse } from "../resource";
import { limitsOf } from "../sides";
import { meaning, openFilter, pick, picks } from "../state";

interface CourseProps {
  readonly run: string;
  readonly series: Series;
  readonly filter: number;
  readonly step: number | undefined;
}

export function Course({ run, series, filter, step }: CourseProps) {
  const input = resolveInput(series, picks().input);
  const { value, stale, error } = useHistory(historyUrl(run, series, filter, input));
  if (error) return <ErrorText>{error}</ErrorText>;
  if (!value || value.steps.length < 2) return null;
  const limit = limitsOf(value.values, value.values.length)[0] ?? 0;
  return (
    <div class={dimmed(stale, "history")} data-testid="history">
      <h3>Over {value.steps.length} steps</h3>
      <div class="scroll">
        <Strip
          values={value.values}
          tile={tileOf(spatialOf(series), value.shape[1] === 3 ? 3 : 1)}
          count={value.steps.length}
          size={36}
          limitOf={() => limit}
          hatched={value.values.some((x) => !Number.isFinite(x))}
          label={`filter ${filter} at steps ${value.steps[0]} to ${value.steps.at(-1)}, on one scale`}
          onPick={(at) => pick({ align: "step", step: value.steps[at] ?? null })}
        />
      </div>
      <div class="line course">
        <Plot label="Norm" steps={value.steps} line={value.norms} mark={step} />
        <Plot label="Change" steps={value.steps} line={value.changes} mark={step} />
      </div>
    </div>
  );
}

/** More pictures are not asked for at once. */
const MOST_PICTURES = 24;

/** The pattern of a filter over the steps at which some were logged. */
export function PatternCourse({ run, series, filter, step }: CourseProps) {
  const places = evenly(series.steps.length, MOST_PICTURES);
  const { value, stale, error } = usePatternCourse(run, series, places, filter);
  const shown = places.flatMap((place, i) => {
    const frame = value?.[i];
    const at = frame?.filters.indexOf(filter) ?? -1;
    return frame && at >= 0 ? [{ frame, at, when: series.steps[place] ?? 0 }] : [];
  });
  if (error) return <ErrorText>{error}</ErrorText>;
  if (shown.length < 2) return null;
  return (
    <div class={dimmed(stale, "history")}>
      <h3>
        Pattern at {shown.length} of {series.steps.length} steps
      </h3>
      <div class="scroll line">
        {shown.map(({ frame, at, when }) => (
          <Button
            key={when}
            class="plain thumb"
            aria-label={`Pattern at step ${when}`}
            title={`Step ${when}`}
            onClick={() => pick({ align: "step", step: when })}
          >
            <PatternPicture frame={frame} at={at} />
          </Button>
        ))}
      </div>
      <Plot
        label="Activation"
        steps={shown.map(({ when }) => when)}
        line={shown.map(({ frame, at }) => frame.reached[at])}
        mark={step}
      />
    </div>
  );
}

interface NearestProps {
  readonly analysis: Analysis;
  readonly stale: boolean;
  readonly filter: number;
}

export function Nearest({ analysis, stale, filter }: NearestProps) {
  const found = analysis.nearest?.[filter] ?? [];
  const original = numberOf(analysis, filter, "duplicate_of");
  const opposite = numberOf(analysis, filter, "opposite_of");
  return (
    <div class={dimmed(stale)} data-testid="nearest">
      {original !== null && original !== filter && <p class="bad">⚠ A duplicate of filter {original}</p>}
      {opposite !== null && <p>The negative of filter {opposite}</p>}
      <h3>Most similar, by cosine</h3>
      <div class="badges">
        {found.map((other, i) => (
          <Button key={other} onClick={() => openFilter(other)} title={meaning("cosine")[1]}>
            {other} <i>{formatCosine(analysis.nearest_cosines?.[filter]?.[i] ?? 0)}</i>
          </Button>
        ))}
      </div>
    </div>
  );
}
