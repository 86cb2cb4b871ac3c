/** Opens a comparison of what a card shows. */
import type { Datum } from "../api";
import { layerKey, seriesOf } from "../model";
import { allRuns, pick } from "../state";

export function CompareWith({ datum: { run, series, at } }: { datum: Datum }) {
  const key = layerKey(series);
  const { steps } = series;
  const open = (choice: string) => {
    const step = { first: steps[0], before: steps[at - 1] }[choice];
    const layer = { layer: key, view: "compare", runA: run, match: "auto" } as const;
    pick(
      step === undefined
        ? { ...layer, runB: choice.slice(1), stepA: "auto", stepB: "auto" }
        : { ...layer, runB: run, stepA: step, stepB: "slider" },
    );
  };
  const others = allRuns.value.filter((one) => one.run !== run && seriesOf(one, key, "kernel"));
  if (at < 0 || (steps.length < 2 && !others.length)) return null;
  return (
    <select
      aria-label={`Compare ${run} with`}
      value=""
      onChange={(event) => open(event.currentTarget.value)}
      data-testid="compare-with"
    >
      <option value="">Compare with…</option>
      {at > 0 && <option value="first">its first step, {steps[0]}</option>}
      {at > 1 && <option value="before">the step before, {steps[at - 1]}</option>}
      {others.map((one) => (
        <option key={one.run} value={`=${one.run}`}>
          {one.run}
        </option>
      ))}
    </select>
  );
}
