/** What is shown of the layer: kernels or patterns, and which of the inputs. */
import { inputsOf, isRgb, resolveInput, type Series } from "../model";
import { kind, layer, pick, picks } from "../state";
import { Icon } from "./icons";
import { StepSlider } from "./StepSlider";

const KINDS = { kernel: "Kernels", patterns: "Patterns" } as const;

function KindChoice() {
  return (
    <fieldset class="segments" aria-label="Kernels or patterns">
      {(["kernel", "patterns"] as const).map((value) => (
        <button
          key={value}
          type="button"
          aria-pressed={kind.value === value}
          disabled={!layer.value?.[value]}
          onClick={() => pick({ kind: value })}
          data-testid={`kind-${value}`}
        >
          {KINDS[value]}
        </button>
      ))}
    </fieldset>
  );
}

const INPUTS = {
  rgb: "RGB",
  strongest: "Strongest slice",
  mean: "Mean over inputs",
  all: "All slices",
  slice: "One input slice",
} as const;

function InputChoice({ series }: { series: Series }) {
  const inputs = inputsOf(series);
  const input = resolveInput(series, picks.value.input);
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
      <select
        value={slice ? "slice" : input}
        aria-label="Input"
        data-testid="input-choice"
        onChange={(event) => {
          const value = event.currentTarget.value as keyof typeof INPUTS;
          pick({ input: value === "slice" ? 0 : value });
        }}
      >
        {(Object.keys(INPUTS) as (keyof typeof INPUTS)[])
          .filter((value) => value !== "rgb" || isRgb(series))
          .map((value) => (
            <option key={value} value={value}>
              {INPUTS[value]}
            </option>
          ))}
      </select>
      {slice && (
        <>
          <input type="range" {...shared} />
          <input type="number" {...shared} data-testid="input-number" />
          of {inputs}
        </>
      )}
    </div>
  );
}

export function Toolbar({ settings, onSettings }: { settings: boolean; onSettings: () => void }) {
  const kernel = layer.value?.kernel;
  return (
    <div class="toolbar line">
      <KindChoice />
      {kernel && kind.value === "kernel" && picks.value.filter === null && <InputChoice series={kernel} />}
      <StepSlider />
      <button type="button" aria-pressed={settings} onClick={onSettings} data-testid="settings-toggle">
        <Icon name="settings" /> Settings
      </button>
    </div>
  );
}
