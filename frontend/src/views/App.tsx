/** The whole tab. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { passFocus } from "../components/focus";
import { Help } from "../components/Help";
import { Icon } from "../components/icons";
import { LayerList } from "../components/LayerList";
import { RunList } from "../components/RunList";
import { Settings } from "../components/Settings";
import { Toolbar } from "../components/Toolbar";
import { layerTitle } from "../model";
import { cards, dark, index, indexError, kind, layer, moveStep, openFilter, picks, stepPlace, steps } from "../state";
import { FilterDetail } from "./FilterDetail";
import { KernelCard } from "./KernelCard";
import { Empty, Problems, ServerTrouble } from "./Notices";
import { Overview } from "./Overview";
import { PatternsCard } from "./PatternsCard";

/** A window this wide has room for the settings beside the pictures. */
const WIDE = 1400;
/** Height of what surrounds a card's picture: its header, legend and margins. */
const AROUND = 190;
const LOWEST_PICTURE = 260;

function back(): void {
  passFocus();
  openFilter(null);
}

function onKeyDown(event: KeyboardEvent, help: () => void): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (target.matches("[type=search], [type=number], select")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (event.key === "[") moveStep(-1);
  else if (event.key === "]") moveStep(1);
  else if (event.key === "?") help();
  else if (event.key === "/") document.querySelector<HTMLElement>("[data-testid=layerFilter]")?.focus();
  else if (event.key === "Escape" && picks.value.filter !== null) back();
  else return;
  event.preventDefault();
}

/** What is shown, in words: a screen reader says so whenever it changes, whatever key or click changed it. */
function Announcement() {
  const { view, filter } = picks.value;
  const step = steps.value[stepPlace.value];
  const layerName = layer.value && layerTitle(layer.value);
  const place =
    view === "overview" ? "Overview" : `${layerName}, ${filter === null ? "all filters" : `filter ${filter}`}`;
  const when = picks.value.align === "step" ? `step ${step}` : `${(step ?? 0) / 10} % of the steps`;
  return (
    <p class="unseen" role="status" data-testid="announcement">
      {place}, {when}
    </p>
  );
}

/** The bar above an opened filter. */
function DetailBar({ filter }: { filter: number }) {
  const count = layer.value?.kernel?.filters ?? Number.POSITIVE_INFINITY;
  const step = (to: number, name: "previous" | "next") => (
    <button
      type="button"
      disabled={to < 0 || to >= count}
      aria-label={`${name} filter`}
      onClick={() => openFilter(to)}
      data-testid={name}
    >
      <Icon name={name === "next" ? "right" : "left"} />
    </button>
  );
  return (
    <div class="bar-above line">
      <button type="button" onClick={back} title="Esc" data-testid="back">
        <Icon name="left" /> All filters
      </button>
      <span class="spread" />
      {step(filter - 1, "previous")}
      <span>
        Filter <b>{filter}</b> {count < Number.POSITIVE_INFINITY && <i>of {count}</i>}
      </span>
      {step(filter + 1, "next")}
    </div>
  );
}

function Cards() {
  const pane = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry?.contentRect.height && setHeight(entry.contentRect.height));
    if (pane.current) observer.observe(pane.current);
    return () => observer.disconnect();
  }, []);
  const { filter } = picks.value;
  const list = cards.value;
  const whole = Math.max(LOWEST_PICTURE, height - AROUND);
  const maxHeight = list.length > 2 ? Math.max(LOWEST_PICTURE, Math.round(whole * 0.6)) : whole;
  const View = kind.value === "kernel" ? KernelCard : PatternsCard;
  return (
    <div class="cards-pane" ref={pane}>
      {filter !== null && <DetailBar filter={filter} />}
      <div class={list.length === 1 || filter !== null ? "cards single" : "cards"}>
        {height > 0 &&
          list.map((card) => {
            const key = `${filter === null ? kind.value : "detail"}|${card.run}|${layer.value?.key}`;
            const series = card[kind.value];
            if (filter !== null) return <FilterDetail key={key} card={card} filter={filter} maxHeight={whole} />;
            return series && <View key={key} run={card.run} series={series} maxHeight={maxHeight} />;
          })}
        {!list.length && <p>No run is checked that has this layer.</p>}
      </div>
    </div>
  );
}

export function App() {
  const [settings, setSettings] = useState(window.innerWidth >= WIDE);
  const [help, setHelp] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKeyDown(event, () => setHelp(true));
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
  const { runs, runFilter, layerFilter } = picks.value;
  // A slider that is dragged redraws the tab for each move: lists of hundreds of runs and layers are left as they are.
  const side = useMemo(
    () => (
      <div class="side">
        <RunList />
        <LayerList />
      </div>
    ),
    [index.value, runs, runFilter, layerFilter, layer.value?.key, dark.value],
  );
  const hasData = index.value?.runs.some(({ series }) => series.length);
  return (
    <div class="app">
      {help && <Help onClose={() => setHelp(false)} />}
      {hasData && side}
      <main>
        <h1 class="unseen">Filters</h1>
        {hasData && <Announcement />}
        {hasData && <Toolbar settings={settings} onSettings={() => setSettings(!settings)} />}
        <ServerTrouble />
        <Problems />
        {hasData ? (
          <div class="body">
            {picks.value.view === "overview" ? <Overview /> : <Cards />}
            {settings && <Settings onClose={() => setSettings(false)} />}
          </div>
        ) : index.value ? (
          <Empty />
        ) : (
          !indexError.value && <p class="empty">Loading…</p>
        )}
      </main>
    </div>
  );
}
