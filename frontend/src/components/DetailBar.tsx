/** The bar above an opened filter. */

import { analysisUrl, patternsUrl } from "../api";
import { useAnalysis, usePatterns } from "../resource";
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

export function DetailBar({ filter }: { filter: number }) {
  const { find, sort } = picks();
  // The order of the grid, of the first of its runs.
  const { run = "", kernel = null, patterns = null } = cards().find((one) => one[kind()]) ?? {};
  const datum = datumOf(run, kernel);
  const stored = useAnalysis(datum && (find || sort !== "index") ? analysisUrl(datum) : null);
  const arranged = useArranged(datum, stored, run);
  // Where each filter has a pattern, there is no need to ask which have.
  const some = kind() === "patterns" && patterns?.filters !== kernel?.filters;
  const pictures = some ? datumOf(run, patterns) : null;
  const frame = usePatterns(pictures && patternsUrl(pictures, "all"));
  const found = frame.value ? withPattern(arranged.order, frame.value) : arranged.order;
  const order = found ?? Array.from({ length: kernel?.filters ?? 0 }, (_, i) => i);
  const at = order.indexOf(filter);
  const waits = [arranged, frame].some(({ stale, error }) => stale && !error);
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
        <i>{found ? at >= 0 && ` · ${at + 1} of ${order.length}` : kernel && ` of ${kernel.filters}`}</i>
      </span>
      {step(at < 0 ? order.findIndex((one) => one > filter) : at + 1, "next")}
    </div>
  );
}
