/** The bar above an opened filter. */

import { analysisUrl } from "../api";
import { useAnalysis } from "../resource";
import { cards, datumOf, layer, openFilter, picks } from "../state";
import { useArranged } from "./arranged";
import { Button } from "./controls";
import { passFocus } from "./focus";
import { Icon } from "./icons";

/** Shows all filters again. */
export function back(): void {
  passFocus();
  openFilter(null);
}

export function DetailBar({ filter }: { filter: number }) {
  // The order of the grid, of the first of the runs.
  const [card] = cards();
  const datum = card ? datumOf(card.run, card.kernel) : null;
  const stored = useAnalysis(datum && analysisUrl(datum));
  const { order } = useArranged(datum, picks().view === "layer" ? stored : null, card?.run ?? "");
  const count = order?.length ?? layer()?.kernel?.filters ?? Number.POSITIVE_INFINITY;
  const at = order ? order.indexOf(filter) : filter;
  const step = (to: number, name: "previous" | "next") => (
    <Button
      disabled={to < 0 || to >= count}
      aria-label={`${name} filter`}
      title={name[0]}
      onClick={() => openFilter(order?.[to] ?? to)}
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
      {step(at - 1, "previous")}
      <span>
        Filter <b>{filter}</b>
        {count < Number.POSITIVE_INFINITY && <i>{order ? ` · ${at + 1} of ${count}` : ` of ${count}`}</i>}
      </span>
      {step(at + 1, "next")}
    </div>
  );
}
