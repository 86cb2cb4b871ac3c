/** What is shown of the layer: kernels or patterns, and which of the inputs. */

import { inputsOf, isRgb, type KindChoice, onePicture, resolveInput, type Series } from "../model";
import { COMPARED_SORTS, SORTS, type View } from "../picks";
import { HELP } from "../selection";
import { hasWeights, isBoth, kind, layer, pick, picks, steps } from "../state";
import { Button, Select } from "./controls";
import { Export } from "./Export";
import { Icon } from "./icons";
import { StepSlider } from "./StepSlider";

interface SegmentsProps<T extends string> {
  readonly name: string;
  readonly labelOf: Readonly<Record<T, string>>;
  readonly value: T;
  readonly disabled?: (value: T) => boolean;
  readonly onPick: (value: T) => void;
}

/** Buttons of which one is pressed. */
function Segments<T extends string>({ name, labelOf, value, disabled, onPick }: SegmentsProps<T>) {
  return (
    <fieldset class="segments" aria-label={name}>
      {(Object.keys(labelOf) as T[]).map((key) => (
        <Button
          key={key}
          aria-pressed={key === value}
          disabled={disabled?.(key)}
          onClick={() => onPick(key)}
          data-testid={`${name}-${key}`}
        >
          {labelOf[key]}
        </Button>
      ))}
    </fieldset>
  );
}

const VIEW_NAMES: Record<View, string> = { overview: "Overview", layer: "Layer", compare: "Compare" };
const KIND_NAMES: Record<KindChoice, string> = { kernel: "Kernels", patterns: "Patterns", both: "Both" };

function isMissing(kind: KindChoice): boolean {
  const { kernel, patterns } = layer() ?? {};
  return !(kind === "both" ? kernel && patterns : layer()?.[kind]);
}

const INPUTS = [
  ["rgb", "RGB"],
  ["strongest", "Strongest slice"],
  ["mean", "Mean over inputs"],
  ["all", "All slices"],
  ["slice", "One input slice"],
] as const;

function InputChoice({ series }: { series: Series }) {
  const inputs = inputsOf(series);
  const one = picks().view === "compare" || isBoth();
  const resolved = resolveInput(series, picks().input);
  const input = one ? onePicture(resolved) : resolved;
  const slice = typeof input === "number";
  const pickSlice = ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
    const value = currentTarget.valueAsNumber;
    if (Number.isInteger(value) && value >= 0 && value < inputs) pick({ input: value });
  };
  const shared = { min: 0, max: inputs - 1, value: slice ? input : 0, "aria-label": "Input slice", onInput: pickSlice };
  if (inputs === 1) return null;
  return (
    <div class="line">
      Input
      <Select
        label="Input"
        value={slice ? "slice" : input}
        options={INPUTS.filter(([value]) => (value === "rgb" ? isRgb(series) : value !== "all" || !one))}
        onPick={(value) => pick({ input: value === "slice" ? 0 : value })}
      />
      {slice && (
        <>
          <input type="range" {...shared} />
          <input type="number" {...shared} />
          of {inputs}
        </>
      )}
    </div>
  );
}

const SORT_NAMES = {
  index: "By index",
  norm: "By norm",
  change: "By change",
  similar: "Similar together",
  reached: "By activation",
} as const;

/** The order of the grid, and a search in it. */
function Arrangement() {
  const comparing = picks().view === "compare";
  const offered = comparing ? COMPARED_SORTS : SORTS.filter((sort) => sort !== "reached" || layer()?.patterns);
  return (
    <div class="line">
      <Select
        label="Order of filters"
        value={offered.find((sort) => sort === picks().sort) ?? "index"}
        options={offered.map((sort) => [sort, SORT_NAMES[sort]])}
        onPick={(sort) => pick({ sort })}
        id="sort"
      />
      <input
        type="search"
        placeholder={comparing ? "Find: 3, change>0.5" : "Find: 3, dead, norm>0.5"}
        aria-label="Find filters"
        title={HELP}
        value={picks().find}
        onInput={(event) => pick({ find: event.currentTarget.value })}
        data-testid="find"
      />
    </div>
  );
}

export function Toolbar({ settings, onSettings }: { settings: boolean; onSettings: () => void }) {
  const kernel = layer()?.kernel;
  const { view, filter } = picks();
  const grid = filter === null && view !== "overview";
  return (
    <div class="toolbar line">
      <Segments
        name="view"
        labelOf={VIEW_NAMES}
        value={view}
        onPick={(to) => pick(to === "overview" ? { view: to, filter: null } : { view: to })}
      />
      {view === "layer" && (
        <Segments
          name="kind"
          labelOf={KIND_NAMES}
          value={isBoth() ? "both" : kind()}
          disabled={isMissing}
          onPick={(to) => pick({ kind: to })}
        />
      )}
      {grid && kernel && hasWeights() && <InputChoice series={kernel} />}
      {grid && <Arrangement />}
      <div class="ends line">
        {steps().length > 0 && <StepSlider />}
        <Export />
        <Button aria-pressed={settings} onClick={onSettings}>
          <Icon name="settings" /> Settings
        </Button>
      </div>
    </div>
  );
}
