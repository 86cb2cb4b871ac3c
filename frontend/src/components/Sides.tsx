/** What is compared with what: a run and a step for each side, and how filters become pairs. */

import { seriesOf } from "../model";
import type { SideStep } from "../picks";
import { matchOf, type Side, type Sides } from "../sides";
import { allRuns, layer, meaning, pick, picks } from "../state";
import { Disc } from "./Card";
import { Button, Select } from "./controls";
import { Icon } from "./icons";

const stepOf = (side: Side): SideStep => (side.pinned ? (side.series.steps[side.at] ?? 0) : "slider");

function Choice({ name, side }: { name: "A" | "B"; side: Side }) {
  const key = layer()?.key ?? "";
  const step = side.series.steps[side.at];
  const pickStep = (value: SideStep) => pick({ [`step${name}`]: value });
  return (
    <fieldset class="line side-choice" aria-label={`Side ${name}`} data-testid={`side-${name}`}>
      <b>{name}</b>
      <Disc run={side.run} />
      <Select
        label={`Run of ${name}`}
        value={side.run}
        options={allRuns()
          .filter((run) => seriesOf(run, key, "kernel"))
          .map(({ run }) => [run, run])}
        onPick={(run) => pick({ [`run${name}`]: run })}
        id={`run-${name}`}
      />
      Step
      {side.pinned ? (
        <input
          type="number"
          aria-label={`Step of ${name}`}
          value={step}
          onChange={({ currentTarget: { valueAsNumber } }) =>
            Number.isSafeInteger(valueAsNumber) && pickStep(valueAsNumber)
          }
          data-testid={`step-${name}`}
        />
      ) : (
        <b data-testid={`step-${name}`}>{step?.toLocaleString() ?? "–"}</b>
      )}
      <Button
        aria-pressed={side.pinned}
        title={side.pinned ? "Let it follow the slider again" : "Keep this step while the slider moves"}
        onClick={() => pickStep(side.pinned ? "slider" : (step ?? 0))}
        data-testid={`pin-${name}`}
      >
        Pin
      </Button>
    </fieldset>
  );
}

/** Exchanges the two sides. */
export function swap([a, b]: Sides): void {
  pick({ runA: b.run, runB: a.run, stepA: stepOf(b), stepB: stepOf(a) });
}

export function SidesBar({ sides }: { sides: Sides }) {
  return (
    <div class="bar-above line sides">
      <Choice name="A" side={sides[0]} />
      <Button aria-label="Swap A and B" title="x" onClick={() => swap(sides)}>
        <Icon name="swap" />
      </Button>
      <Choice name="B" side={sides[1]} />
      <Select
        label="How filters become pairs"
        title={meaning("likeness")[1]}
        value={matchOf(sides, picks().match)}
        options={[
          ["index", "Paired by index"],
          ["likeness", "Paired by likeness"],
        ]}
        onPick={(match) => pick({ match })}
        id="match"
      />
    </div>
  );
}
