/** Filters marked in a grid, and what to do with them. */

import { plural } from "../format";
import { layer, pick, picks } from "../state";
import { Button } from "./controls";

export function MarkedBar() {
  const { marked } = picks();
  if (!marked || !layer()?.kernel) return null;
  const list = marked.join(", ");
  return (
    <div class="bar-above line" data-testid="marked">
      <span>
        {plural(marked.length, "filter")} marked: <b>{list}</b>
      </span>
      <span class="spread" />
      <Button onClick={() => pick({ view: "compare", find: list, filter: null })}>Compare</Button>
      <Button onClick={() => pick({ marked: null })} title="Esc">
        Clear
      </Button>
    </div>
  );
}
