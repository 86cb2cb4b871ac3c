/** The whole tab. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { Place } from "../components/Card";
import { back, LayerBar } from "../components/DetailBar";
import { Help } from "../components/Help";
import { LayerList } from "../components/LayerList";
import { MarkedBar } from "../components/Marked";
import { usePaneHeight } from "../components/pane";
import { RunList } from "../components/RunList";
import { Settings } from "../components/Settings";
import { swap } from "../components/Sides";
import { Toolbar } from "../components/Toolbar";
import { isModified } from "../keys";
import { layerTitle } from "../model";
import {
  cards,
  dark,
  index,
  indexError,
  kind,
  layer,
  moveStep,
  pick,
  picks,
  runNames,
  sides,
  stepPlace,
  steps,
} from "../state";
import { Compare } from "./Compare";
import { FilterDetail } from "./FilterDetail";
import { KernelCard } from "./KernelCard";
import { Empty, Problems, ServerTrouble } from "./Notices";
import { Overview } from "./Overview";
import { PatternsCard } from "./PatternsCard";

/** A window this wide has room for the settings beside the pictures. */
const WIDE = 1400;
/** Height of what surrounds a card's picture: its header, legend and margins. */
const AROUND = 212;
const LOWEST_PICTURE = 260;

function onKeyDown(event: KeyboardEvent, help: () => void): void {
  const target = event.target as HTMLElement;
  if (isModified(event)) return;
  if (target.matches("[type=search], [type=number], select")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  // What is open above the page is closed by the browser.
  if (event.key === "Escape" && document.querySelector("dialog, :popover-open")) return;
  const { view } = picks();
  const turn = { n: "next", p: "previous" }[event.key];
  const compared = sides();
  if (event.key === "[") moveStep(-1);
  else if (event.key === "]") moveStep(1);
  else if (event.key === "?") help();
  else if (turn) document.querySelector<HTMLElement>(`[aria-label="${turn} filter"]`)?.click();
  else if (event.key === "/") document.querySelector<HTMLElement>("[data-testid=layerFilter]")?.focus();
  else if (event.key === "Escape" && picks().filter !== null) back();
  else if (event.key === "Escape" && picks().marked) pick({ marked: null });
  else if (event.key === "c" && layer()) pick({ view: "compare" });
  else if (event.key === "x" && view === "compare" && compared) swap(compared);
  else return;
  event.preventDefault();
}

/** What is shown, in words: a screen reader says so whenever it changes, whatever key or click changed it. */
function Announcement() {
  const { view, filter } = picks();
  const step = steps()[stepPlace()];
  const shown = layer();
  const layerName = shown && layerTitle(shown);
  const place =
    view === "overview" ? "Overview" : `${layerName}, ${filter === null ? "all filters" : `filter ${filter}`}`;
  const when = picks().align === "step" ? `step ${step}` : `${(step ?? 0) / 10} % of the steps`;
  return (
    <p class="unseen" role="status">
      {place}, {when}
    </p>
  );
}

function Cards() {
  const { pane, height } = usePaneHeight();
  const { filter } = picks();
  const list = cards();
  const whole = Math.max(LOWEST_PICTURE, height - AROUND);
  const maxHeight = list.length > 2 ? Math.max(LOWEST_PICTURE, Math.round(whole * 0.6)) : whole;
  const View = kind() === "kernel" ? KernelCard : PatternsCard;
  return (
    <div class="cards-pane" ref={pane}>
      {filter !== null ? <LayerBar filter={filter} /> : <MarkedBar />}
      <div class={list.length === 1 || filter !== null ? "cards single" : "cards"}>
        {height > 0 &&
          list.map((card) => {
            const { run, kernel } = card;
            const series = filter === null ? card[kind()] : (kernel ?? card.patterns);
            const key = `${filter === null ? kind() : "detail"}|${run}|${layer()?.key}`;
            return (
              series && (
                <Place key={run} run={run} series={series}>
                  {filter === null ? (
                    <View key={key} run={run} series={series} kernel={kernel} maxHeight={maxHeight} />
                  ) : (
                    <FilterDetail key={key} card={card} series={series} filter={filter} maxHeight={whole} />
                  )}
                </Place>
              )
            );
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
  const { runs, runFilter, layerFilter } = picks();
  // A slider that is dragged redraws the tab for each move: lists of hundreds of runs and layers are left as they are.
  const side = useMemo(
    () => (
      <div class="side">
        <RunList />
        <LayerList />
      </div>
    ),
    [index(), runs, runFilter, layerFilter, layer()?.key, dark(), runNames()],
  );
  const hasData = index()?.runs.some(({ series }) => series.length);
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
            {picks().view === "overview" ? <Overview /> : picks().view === "compare" ? <Compare /> : <Cards />}
            {settings && <Settings onClose={() => setSettings(false)} onHelp={() => setHelp(true)} />}
          </div>
        ) : index() ? (
          <Empty />
        ) : (
          !indexError() && <p class="empty">Loading…</p>
        )}
      </main>
    </div>
  );
}
