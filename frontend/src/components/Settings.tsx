/** The right pane: how numbers become colours, and how large tiles are. */

import type { ComponentChildren } from "preact";
import { plural } from "../format";
import { MAP_LABELS } from "../paint/colormap";
import { isLimit, SIZES, SPEEDS } from "../picks";
import { hasWeights, pick, picks, sizeKey } from "../state";
import { Button } from "./controls";
import { Icon } from "./icons";

interface RadiosProps {
  readonly legend: string;
  readonly name: "map" | "scale" | "contrast" | "align" | "speed";
  readonly labelOf: Readonly<Record<string, string>>;
  /** The value that is checked, and what to pick for one: by default the pick itself. */
  readonly value?: string;
  readonly parse?: (value: string) => unknown;
  readonly children?: ComponentChildren;
}

/** The values of a pick. */
function Radios({ legend, name, labelOf, value, parse, children }: RadiosProps) {
  const checked = value ?? String(picks()[name]);
  return (
    <fieldset>
      <legend>{legend}</legend>
      {Object.keys(labelOf).map((key) => (
        <label key={key} class="line">
          <input
            type="radio"
            name={name}
            checked={key === checked}
            onChange={() => pick({ [name]: parse ? parse(key) : key })}
            data-testid={`${name}-${key}`}
          />
          {labelOf[key]}
        </label>
      ))}
      {children}
    </fieldset>
  );
}

const SCALES = { filter: "Each filter’s largest weight", layer: "The layer’s largest weight", fixed: "Fixed limit" };
const CONTRASTS = { true: "True", stretched: "Stretched, picture by picture" };
const ALIGNMENTS = { step: "At the same step", relative: "At the same share of their way" };
const SPEED_NAMES = Object.fromEntries(SPEEDS.map((speed) => [speed, `${plural(speed, "step")} a second`]));
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
        if (isLimit(scale)) pick({ scale });
      }}
    />
  );
}

function TileSize() {
  const key = sizeKey();
  const size = picks()[key];
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
        <Button disabled={!size} onClick={() => pick({ [key]: 0 })}>
          Fit
        </Button>
      </div>
    </fieldset>
  );
}

interface SettingsProps {
  readonly onClose: () => void;
  readonly onHelp: () => void;
}

export function Settings({ onClose, onHelp }: SettingsProps) {
  const { scale } = picks();
  const fixed = typeof scale === "number";
  return (
    <aside class="settings" aria-label="Settings">
      <header class="bar-above line">
        <h2 class="spread">Settings</h2>
        <Button title="?" onClick={onHelp}>
          Keys
        </Button>
        <Button aria-label="Close settings" onClick={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      <TileSize />
      {hasWeights() && (
        <>
          <Radios legend="Colour map" name="map" labelOf={MAP_LABELS} />
          <Radios
            legend="Scale, symmetric about 0"
            name="scale"
            labelOf={SCALES}
            value={fixed ? "fixed" : scale}
            parse={(value) => (value === "fixed" ? FIRST_LIMIT : value)}
          >
            {fixed && <ScaleLimit limit={scale} />}
          </Radios>
        </>
      )}
      <Radios legend="Contrast of patterns" name="contrast" labelOf={CONTRASTS} />
      <Radios legend="Runs are seen" name="align" labelOf={ALIGNMENTS} />
      <Radios legend="Play" name="speed" labelOf={SPEED_NAMES} parse={Number} />
    </aside>
  );
}
