/** A menu of files to save: what the cards show, as pictures, as numbers and over the steps. */
import { useState } from "preact/hooks";
import { analysisUrl, compareUrl, type Datum, exportUrl, patternsUrl } from "../api";
import { type Input, onePicture, resolveInput } from "../model";
import { useAnalysis, usePatterns } from "../resource";
import { matchOf, type Sides } from "../sides";
import { type Card, cards, dark, datumOf, isBoth, kind, mainRun, mapName, picks, placeIn, sides } from "../state";
import { useArranged } from "./arranged";
import { RunName } from "./Card";
import { Button } from "./controls";

/** What may be saved of a series: its kind at a step, the table of its numbers, or either over all steps. */
const FILES = {
  kernels: ["png", "svg", "npz"],
  patterns: ["png", "svg", "npz"],
  numbers: ["csv"],
  history: ["gif", "png", "npz", "csv"],
} as const;
const TABLES = ["png", "svg", "csv", "npz"];

const look = (limit: string | number) => ({
  theme: dark() ? "dark" : "light",
  colormap: mapName(),
  limit: String(limit),
});

/** A line of the menu: the formats of one thing, each a link. */
function Row({
  name,
  formats,
  urlOf,
}: {
  name: string;
  formats: readonly string[];
  urlOf: (format: string) => string;
}) {
  return (
    <div class="line">
      <span class="spread">{name}</span>
      {formats.map((format) => (
        <a key={format} href={urlOf(format)} target="_blank" rel="noreferrer">
          {format}
        </a>
      ))}
    </div>
  );
}

interface LinksProps {
  readonly datum: Datum;
  /** null: all. */
  readonly filters: readonly number[] | null;
}

function Links({ datum: { run, series, at }, filters }: LinksProps) {
  const { filter, scale, input } = picks();
  const shown = resolveInput(series, input);
  const own = series.kind === "kernel" ? "kernels" : "patterns";
  const options = { ...look(scale), filters: filters?.join() ?? "all" };
  const row = (what: keyof typeof FILES, place: number, inputs: Input) => (
    <Row
      name={what === own ? own : `${own}, ${what}`}
      formats={FILES[what]}
      urlOf={(format) => exportUrl({ run, series, at: place }, { ...options, what, format, inputs: String(inputs) })}
    />
  );
  return (
    <>
      {row(own, at, filter !== null ? "all" : isBoth() ? onePicture(shown) : shown)}
      {row("numbers", at, shown)}
      {series.steps.length > 1 && row("history", series.steps.length - 1, onePicture(shown))}
    </>
  );
}

/** The files of a whole view: of all layers of a run, or of a comparison. */
function ViewFiles() {
  const { view, input, match, scale } = picks();
  const both = sides();
  const run = mainRun();
  const options = { what: view, ...look(view === "overview" ? "filter" : scale) };
  const overview = () => {
    const step = Math.max(...(run?.series ?? []).map((series) => series.steps[placeIn(series)] ?? 0));
    return `export?${new URLSearchParams({ ...options, run: run?.run ?? "", step: String(step) })}`;
  };
  const comparison = ([a, b]: Sides) =>
    compareUrl(a, b, matchOf([a, b], match), resolveInput(a.series, input), options);
  const url = view === "overview" ? overview() : both && comparison(both);
  return url && <Row name={view} formats={TABLES} urlOf={(format) => `${url}&format=${format}`} />;
}

/** The files of a run, of the filters that are on the screen. */
function Files({ card: { run, kernel, patterns } }: { card: Card }) {
  const { filter } = picks();
  const weights = datumOf(run, kernel);
  const pictures = datumOf(run, patterns);
  const stored = useAnalysis(weights && analysisUrl(weights));
  const { value: frame } = usePatterns(pictures && patternsUrl(pictures, "all"));
  const { order, stale } = useArranged(weights, stored, run);
  const wanted = filter === null ? order : [filter];
  return (
    <section>
      <RunName run={run} />
      {/* Until it is known which filters are on the screen, there is nothing to save of a grid. */}
      {[weights, pictures].map((datum) => {
        const filters = wanted?.filter((one) => datum === weights || frame?.filters.includes(one)) ?? null;
        const seen = filter !== null || (!stale && (isBoth() || datum?.series.kind === kind()));
        return datum && seen && filters?.length !== 0 && <Links datum={datum} filters={filters} />;
      })}
    </section>
  );
}

export function Export() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button popovertarget="export">Export</Button>
      <div
        id="export"
        popover="auto"
        role="dialog"
        aria-label="Export"
        onToggle={(event) => setOpen(event.newState === "open")}
      >
        {open &&
          (picks().view === "layer" ? cards().map((card) => <Files key={card.run} card={card} />) : <ViewFiles />)}
      </div>
    </>
  );
}
