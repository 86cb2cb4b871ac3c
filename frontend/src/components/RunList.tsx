/** The runs, with TensorBoard's colours; those checked have cards. */
import { allRuns, listedRuns, pick, picks, shownRuns } from "../state";
import { RunName } from "./Card";
import { FilterBox } from "./FilterBox";

/** Checks or clears some runs. All runs checked is the default, which later runs join. */
function check(runs: readonly string[], checked: boolean): void {
  const all = allRuns().map(({ run }) => run);
  const others = (picks().runs ?? all).filter((run) => !runs.includes(run));
  const after = checked ? [...others, ...runs] : others;
  pick({ runs: all.every((run) => after.includes(run)) ? null : after });
}

export function RunList() {
  const listed = listedRuns().map(({ run }) => run);
  const shown = shownRuns().map(({ run }) => run);
  return (
    <section class="runs" aria-label="Runs">
      <FilterBox label="Filter runs (regex)" name="runFilter" />
      <label class="line">
        <input
          type="checkbox"
          checked={shown.length === listed.length}
          indeterminate={shown.length > 0 && shown.length < listed.length}
          onChange={(event) => check(listed, event.currentTarget.checked)}
        />
        <b>Run</b>
      </label>
      <div class="scroll">
        {listed.map((run) => (
          <label class="line" key={run} data-run={run}>
            <input
              type="checkbox"
              checked={shown.includes(run)}
              onChange={(event) => check([run], event.currentTarget.checked)}
            />
            <RunName run={run} />
          </label>
        ))}
      </div>
    </section>
  );
}
