/** Opens a comparison of what a card shows. */

import { useMemo } from "preact/hooks";
import type { Datum } from "../api";
import { layerKey, seriesOf } from "../model";
import { allRuns, pick } from "../state";
import { Select } from "./controls";

export function CompareWith({ datum: { run, series, at } }: { datum: Datum }) {
  // Fifty cards of fifty runs have thousands of choices: they are left as they are while a slider moves.
  return useMemo(() => {
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
    const others = allRuns().filter((one) => one.run !== run && seriesOf(one, key, "kernel"));
    if (steps.length < 2 && !others.length) return null;
    return (
      <Select
        label={`Compare ${run} with`}
        value=""
        options={[
          ["", "Compare with…"],
          ...(at > 0 ? [["first", `its first step, ${steps[0]}`] as const] : []),
          ...(at > 1 ? [["before", `the step before, ${steps[at - 1]}`] as const] : []),
          ...others.map((one) => [`=${one.run}`, one.run] as const),
        ]}
        onPick={open}
        id="compare-with"
      />
    );
  }, [run, series, at, allRuns()]);
}
