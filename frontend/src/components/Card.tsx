/** A card: which layer, which run, which step; then whatever it shows. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatTime, formatWhole } from "../format";
import { layerTitle, type Series, shapeText, timeAt } from "../model";
import { meaning, placeIn, runColour } from "../state";

/** The colour of a run. */
export const Disc = ({ run }: { run: string }) => <span class="disc" style={{ background: runColour(run) }} />;

export function RunName({ run }: { run: string }) {
  return (
    <span class="run line" title={run}>
      <Disc run={run} />
      <span class="ellipsis">{run}</span>
    </span>
  );
}

/** What went wrong; nothing where nothing did. */
export function ErrorText({ children }: { children: string }) {
  return children ? (
    <p class="bad" role="alert">
      ⚠ {children}
    </p>
  ) : null;
}

/** Cards this near the window are drawn already when they come into sight. */
const NEAR = "100px";

interface PlaceProps {
  readonly run: string;
  readonly series: Series;
  /** A card whose key names the run, the layer and the kind. */
  readonly children: VNode;
}

/** A card's place. Out of sight a card stays as it was drawn, and one never seen asks the server for nothing. */
export function Place({ run, series, children }: PlaceProps) {
  const element = useRef<HTMLElement>(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const { current } = element;
    if (!current) return;
    const options = { root: current.closest(".cards-pane"), rootMargin: NEAR };
    const observer = new IntersectionObserver((entries) => setNear(!!entries.at(-1)?.isIntersecting), options);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const drawn = useRef<VNode | null>(null);
  // Preact skips what is the very same as before. A card of another layer is not kept.
  if (near || drawn.current?.key !== children.key) drawn.current = near ? children : null;
  return (
    <article
      class="card"
      ref={element}
      aria-label={run}
      data-run={run}
      data-tag={series.tag}
      data-step={series.steps[placeIn(series)]}
    >
      {drawn.current}
    </article>
  );
}

export interface CardProps {
  readonly run: string;
  readonly series: Series;
  readonly notes?: ComponentChildren;
  /** What to show of the step at this position of the series. */
  readonly children: (at: number) => ComponentChildren;
}

export function Card({ run, series, notes, children }: CardProps) {
  const at = placeIn(series);
  const step = series.steps[at];
  return (
    <>
      <header>
        <div class="line">
          <h2 class="ellipsis" title={series.description || series.tag}>
            {layerTitle(series)}
          </h2>
          <i>{shapeText(series)}</i>
          <span class="spread" />
          {notes}
        </div>
        <div class="line">
          <RunName run={run} />
          <span class="spread" />
          {series.superseded > 0 && (
            <i title={meaning("superseded")[1]}>{formatWhole(series.superseded)} older superseded ·</i>
          )}
          {step !== undefined && (
            <span>
              Step <b>{formatWhole(step)}</b> <i>{formatTime(timeAt(series, at))}</i>
            </span>
          )}
        </div>
      </header>
      {step === undefined ? (
        <i>Nothing was logged up to this step. The first is step {formatWhole(series.steps[0] ?? 0)}.</i>
      ) : (
        children(at)
      )}
    </>
  );
}
