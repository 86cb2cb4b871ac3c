/** A card's frame: which layer, which run, which step; then whatever it shows. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatTime, formatWhole } from "../format";
import { layerTitle, type Series, shapeText, timeAt } from "../model";
import { placeIn, runColour } from "../state";

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

/** True once the element was in or near the window: cards out of sight ask the server for nothing. */
function useSeen() {
  const element = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return { element, seen };
}

export interface CardProps {
  readonly run: string;
  readonly series: Series;
  readonly notes?: ComponentChildren;
  /** What to show of the step at this position of the series. */
  readonly children: (at: number) => ComponentChildren;
}

export function Card({ run, series, notes, children }: CardProps) {
  const { element, seen } = useSeen();
  const at = placeIn(series);
  const step = series.steps[at];
  return (
    <article class="card" ref={element} data-testid="card" data-run={run} data-tag={series.tag} data-step={step}>
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
            <i title="Newer data took their place, as after a restart">
              {formatWhole(series.superseded)} older superseded ·
            </i>
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
        seen && children(at)
      )}
    </article>
  );
}
