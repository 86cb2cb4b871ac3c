/** The right pane: how numbers become colours, and how large tiles are. */
import type { ComponentChildren } from "preact";
import { MAP_LABELS } from "../paint/colormap";
import { SIZES, SPEEDS } from "../picks";
import { hasWeights, pick, picks, sizeKey } from "../state";
import { Icon } from "./icons";

interface RadiosProps<T extends string> {
  readonly legend: string;
  readonly name: string;
  readonly labels: Readonly<Record<T, string>>;
  readonly value: T;
  readonly onPick: (value: T) => void;
  readonly children?: ComponentChildren;
}

function Radios<T extends string>({ legend, name, labels, value, onPick, children }: RadiosProps<T>) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {(Object.keys(labels) as T[]).map((key) => (
        <label key={key} class="line">
          <input
            type="radio"
            name={name}
            checked={key === value}
            onChange={() => onPick(key)}
            data-testid={`${name}-${key}`}
          />
          {labels[key]}
        </label>
      ))}
      {children}
    </fieldset>
  );
}

const SCALES = { filter: "Each filter’s largest weight", layer: "The layer’s largest weight", fixed: "Fixed limit" };
const CONTRASTS = { true: "True", stretched: "Stretched, picture by picture" };
const ALIGNMENTS = { step: "At the same step", relative: "At the same share of their way" };
const SPEED_NAMES = Object.fromEntries(SPEEDS.map((speed) => [speed, `${speed} steps a second`]));
const FIRST_LIMIT = 0.1;

function ScaleLimit({ limit }: { limit: number }) {
  return (
    <input
      type="number"
      min="0"
      step="any"
      value={limit}
      aria-label="Limit of the fixed scale"
      onChange={(event) => {
        const scale = event.currentTarget.valueAsNumber;
        if (scale > 0) pick({ scale });
      }}
      data-testid="scale-limit"
    />
  );
}

function TileSize() {
  const key = sizeKey.value;
  const size = picks.value[key];
  const [smallest, largest] = SIZES[key];
  return (
    <fieldset>
      <legend>Tile size</legend>
      <div class="line">
        <input
          type="range"
          min={smallest}
          max={largest}
          value={size || smallest}
          aria-label="Tile size in pixels"
          onInput={(event) => pick({ [key]: event.currentTarget.valueAsNumber })}
          data-testid="tile-size"
        />
        {size ? `${size} px` : "fits"}
        <button type="button" disabled={!size} onClick={() => pick({ [key]: 0 })}>
          Fit
        </button>
      </div>
    </fieldset>
  );
}

export function Settings({ onClose }: { onClose: () => void }) {
  const { map, scale, contrast } = picks.value;
  const fixed = typeof scale === "number";
  return (
    <aside class="settings" aria-label="Settings" data-testid="settings">
      <header class="line">
        <h2 class="spread">Settings</h2>
        <button type="button" aria-label="Close settings" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <TileSize />
      {hasWeights.value && (
        <>
          <Radios
            legend="Colour map"
            name="map"
            labels={MAP_LABELS}
            value={map}
            onPick={(value) => pick({ map: value })}
          />
          <Radios
            legend="Scale, symmetric about 0"
            name="scale"
            labels={SCALES}
            value={fixed ? "fixed" : scale}
            onPick={(value) => pick({ scale: value === "fixed" ? FIRST_LIMIT : value })}
          >
            {fixed && <ScaleLimit limit={scale} />}
          </Radios>
        </>
      )}
      <Radios
        legend="Contrast of patterns"
        name="contrast"
        labels={CONTRASTS}
        value={contrast}
        onPick={(value) => pick({ contrast: value })}
      />
      <Radios
        legend="Runs are seen"
        name="align"
        labels={ALIGNMENTS}
        value={picks.value.align}
        onPick={(value) => pick({ align: value })}
      />
      <Radios
        legend="Play"
        name="speed"
        labels={SPEED_NAMES}
        value={String(picks.value.speed)}
        onPick={(value) => pick({ speed: Number(value) })}
      />
    </aside>
  );
}
