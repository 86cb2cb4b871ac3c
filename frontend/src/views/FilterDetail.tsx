/** One filter, in one run: all its input slices, its pattern and its numbers. */
import { useState } from "preact/hooks";
import { analysisUrl, type Datum, patternsUrl } from "../api";
import { Card, ErrorText } from "../components/Card";
import { CompareWith } from "../components/CompareWith";
import { Copy } from "../components/Copy";
import { KernelPicture } from "../components/KernelPicture";
import { Numbers } from "../components/Numbers";
import { Activation, PatternPicture } from "../components/PatternPicture";
import { Plot } from "../components/Plot";
import { dimmed } from "../format";
import type { PatternFrame } from "../frames";
import { noFilter, type Series } from "../model";
import { type Resource, useAnalysis, usePatterns } from "../resource";
import { type Card as CardOf, datumOf, pick, picks, placeIn } from "../state";
import { Course, Nearest, PatternCourse } from "./Course";

/** Height of the course below the slices, in CSS pixels. */
const COURSE = 160;

interface FilterDetailProps {
  readonly card: CardOf;
  /** The kernel or, where none was logged, the patterns. */
  readonly series: Series;
  readonly filter: number;
  readonly maxHeight: number;
}

export function FilterDetail({ card, series, filter, maxHeight }: FilterDetailProps) {
  const { run, kernel, patterns } = card;
  const beyond = kernel && filter >= kernel.filters;
  const datum = beyond ? null : datumOf(run, kernel);
  const { value: numbers, stale, error } = useAnalysis(datum && analysisUrl(datum, "full"));
  const pictures = datumOf(run, patterns);
  const pattern = usePatterns(pictures && patternsUrl(pictures, String(filter), { curve: "yes" }));
  return (
    <Card run={run} series={series} notes={datum && <CompareWith datum={datum} />}>
      {() =>
        beyond ? (
          <ErrorText>{noFilter(kernel, filter)}</ErrorText>
        ) : (
          <div class="detail" data-filter={filter}>
            {datum && (
              <Slices
                datum={datum}
                filter={filter}
                maxHeight={maxHeight - (datum.series.steps.length > 1 ? COURSE : 0)}
              />
            )}
            <section>
              {patterns && <LargePattern datum={pictures} pattern={pattern} filter={filter} />}
              {numbers && <Nearest analysis={numbers} stale={stale} filter={filter} />}
            </section>
            <section class="figures">
              <ErrorText>{error}</ErrorText>
              <div class={dimmed(stale)}>{numbers && <Numbers of={[[numbers, filter]]} />}</div>
              <Copy
                key={`${datum?.at} ${filter}`}
                of={[datum, pattern.value?.filters.includes(filter) ? pictures : null]}
                filter={filter}
              />
            </section>
            {datum && (
              <Course
                key={filter}
                run={run}
                series={datum.series}
                filter={filter}
                step={datum.series.steps[datum.at]}
              />
            )}
            {patterns && patterns.steps.length > 1 && (
              <PatternCourse run={run} series={patterns} filter={filter} step={patterns.steps[placeIn(patterns)]} />
            )}
          </div>
        )
      }
    </Card>
  );
}

function Slices(props: { datum: Datum; filter: number; maxHeight: number }) {
  const [cursor, setCursor] = useState(0);
  return (
    <section>
      <label class="line">
        <input
          type="checkbox"
          checked={picks().slices === "norm"}
          onChange={(event) => pick({ slices: event.currentTarget.checked ? "norm" : "index" })}
        />
        Slices by norm, the strongest first
      </label>
      <KernelPicture {...props} numbers={null} cursor={cursor} onCursor={setCursor} onOpen={null} />
    </section>
  );
}

interface LargePatternProps {
  readonly datum: Datum | null;
  readonly pattern: Resource<PatternFrame>;
  readonly filter: number;
}

function LargePattern({ datum, pattern: { value, stale, error }, filter }: LargePatternProps) {
  const i = value?.filters.indexOf(filter) ?? -1;
  if (error) return <ErrorText>{error}</ErrorText>;
  if (i < 0 && stale) return null;
  if (!value || i < 0) return <p>No pattern of this filter was logged up to this step.</p>;
  const curve = value.curve?.[i] ?? [];
  return (
    <figure class={dimmed(stale)}>
      <PatternPicture frame={value} at={i} />
      <Activation frame={value} at={i} /> <i>step {datum?.series.steps[datum.at]}</i>
      {curve.length > 1 && <Plot label="Climb" steps={[...curve.keys()]} line={curve} />}
    </figure>
  );
}
