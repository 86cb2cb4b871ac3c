/** The bar above an opened filter. */

import { analysisUrl, patternsUrl } from "../api";
import { type Resource, useAnalysis, usePatterns } from "../resource";
import { cards, datumOf, kind, openFilter, picks } from "../state";
import { useArranged, withPattern } from "./arranged";
import { Button } from "./controls";
import { passFocus } from "./focus";
import { Icon } from "./icons";

/** Shows all filters again. */
export function back(): void {
  passFocus();
  openFilter(null);
}

interface DetailBarProps {
  readonly filter: number;
  /** How many filters the layer has, as far as is known. */
  readonly count: number | undefined;
  /** The order of the grid; null: all by index. */
  readonly found: readonly number[] | null;
  /** What that order is made of. */
  readonly sources: readonly Pick<Resource<unknown>, "stale" | "error">[];
}

export function DetailBar({ filter, count, found, sources }: DetailBarProps) {
  const order = found ?? Array.from({ length: count ?? 0 }, (_, i) => i);
  const at = order.indexOf(filter);
  const waits = sources.some(({ stale, error }) => stale && !error);
  const step = (to: number, name: "previous" | "next") => (
    <Button
      disabled={waits || order[to] === undefined}
      aria-label={`${name} filter`}
      title={name[0]}
      onClick={() => openFilter(order[to] ?? null)}
    >
      <Icon name={name === "next" ? "right" : "left"} />
    </Button>
  );
  return (
    <div class="bar-above line">
      <Button onClick={back} title="Esc">
        <Icon name="left" /> All filters
      </Button>
      <span class="spread" />
      {step(at < 0 ? order.findLastIndex((one) => one < filter) : at - 1, "previous")}
      <span>
        Filter <b>{filter}</b>
        <i>{found ? at >= 0 && ` · ${at + 1} of ${order.length}` : count && ` of ${count}`}</i>
      </span>
      {step(at < 0 ? order.findIndex((one) => one > filter) : at + 1, "next")}
    </div>
  );
}

/** The bar where layers are shown: it turns in the order of the grid of the first run. */
export function LayerBar({ filter }: { filter: number }) {
  const { find, sort } = picks();
  const { run = "", kernel = null, patterns = null } = cards().find((one) => one[kind()]) ?? {};
  const datum = datumOf(run, kernel);
  const stored = useAnalysis(datum && (find || sort !== "index") ? analysisUrl(datum) : null);
  const arranged = useArranged(datum, stored, run);
  const shown = kind() === "patterns" ? datumOf(run, patterns) : null;
  // Where each filter has a pattern, which is known of the newest step, there is no need to ask which have.
  const all = shown?.series.filters === kernel?.filters && shown?.at === Number(shown?.series.steps.length) - 1;
  const pictures = all ? null : shown;
  const frame = usePatterns(pictures && patternsUrl(pictures, "all"));
  const found = frame.value ? withPattern(arranged.order, frame.value) : arranged.order;
  return <DetailBar filter={filter} count={kernel?.filters} found={found} sources={[arranged, frame]} />;
}
