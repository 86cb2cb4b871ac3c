/** The bar above an opened filter. */

import { layer, openFilter } from "../state";
import { Button } from "./controls";
import { passFocus } from "./focus";
import { Icon } from "./icons";

/** Shows all filters again. */
export function back(): void {
  passFocus();
  openFilter(null);
}

export function DetailBar({ filter }: { filter: number }) {
  const count = layer()?.kernel?.filters ?? Number.POSITIVE_INFINITY;
  const step = (to: number, name: "previous" | "next") => (
    <Button
      disabled={to < 0 || to >= count}
      aria-label={`${name} filter`}
      title={name[0]}
      onClick={() => openFilter(to)}
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
      {step(filter - 1, "previous")}
      <span>
        Filter <b>{filter}</b> {count < Number.POSITIVE_INFINITY && <i>of {count}</i>}
      </span>
      {step(filter + 1, "next")}
    </div>
  );
}
