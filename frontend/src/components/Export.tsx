/** A menu of files to save: what the cards show, as pictures, as numbers and over the steps. */
import { useState } from "preact/hooks";
import { analysisUrl, type Datum, exportUrl, patternsUrl } from "../api";
import { type Input, onePicture, resolveInput } from "../model";
import { useAnalysis, usePatterns } from "../resource";
import { type Card, cards, dark, datumOf, isBoth, kind, mapName, picks } from "../state";
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

interface LinksProps {
  readonly datum: Datum;
  /** null: all. */
  readonly filters: readonly number[] | null;
}

function Links({ datum: { run, series, at }, filters }: LinksProps) {
  const { filter, scale, input } = picks();
  const shown = resolveInput(series, input);
  const own = series.kind === "kernel" ? "kernels" : "patterns";
  const look = {
    theme: dark() ? "dark" : "light",
    colormap: mapName(),
    limit: String(scale),
    filters: filters?.join() ?? "all",
  };
  const row = (what: keyof typeof FILES, place: number, inputs: Input) => (
    <div class="line">
      <span class="spread">{what === own ? own : `${own}, ${what}`}</span>
      {FILES[what].map((format) => (
        <a
          key={format}
          href={exportUrl({ run, series, at: place }, { ...look, what, format, inputs: String(inputs) })}
          target="_blank"
          rel="noreferrer"
        >
          {format}
        </a>
      ))}
    </div>
  );
  return (
    <>
      {row(own, at, filter !== null ? "all" : isBoth() ? onePicture(shown) : shown)}
      {row("numbers", at, shown)}
      {series.steps.length > 1 && row("history", series.steps.length - 1, onePicture(shown))}
    </>
  );
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
        {open && cards().map((card) => <Files key={card.run} card={card} />)}
      </div>
    </>
  );
}
