/** The patterns of a layer, in one run, at one step. */
import { useRef } from "preact/hooks";
import { type Datum, patternsUrl } from "../api";
import { Card, ErrorText } from "../components/Card";
import { useFocusPassing, useName } from "../components/focus";
import { Activation, PatternPicture } from "../components/PatternPicture";
import { plural } from "../format";
import type { PatternFrame } from "../frames";
import { moveCursor } from "../keys";
import type { Series } from "../model";
import { usePatterns } from "../resource";
import { cursor, openFilter, picks } from "../state";

/** The narrowest place of a picture, which its caption needs. */
const NARROWEST = 64;
/** Smallest and largest size of a picture unasked: its own, within these. */
const OWN_SIZE = [96, 160] as const;
const ROWS_PER_PAGE = 3;

interface PatternsCardProps {
  readonly run: string;
  readonly series: Series;
  readonly maxHeight: number;
}

export function PatternsCard({ run, series, maxHeight }: PatternsCardProps) {
  return (
    <Card run={run} series={series} notes={<i>{plural(series.filters, "pattern")}</i>}>
      {(at) => <Patterns datum={{ run, series, at }} maxHeight={maxHeight} />}
    </Card>
  );
}

function Patterns({ datum, maxHeight }: { datum: Datum; maxHeight: number }) {
  const url = patternsUrl(datum, "all");
  const { value: frame, url: shownUrl, error } = usePatterns(url);
  return (
    <>
      {error && <ErrorText>{error}</ErrorText>}
      {frame && (
        <div class={shownUrl !== url && !error ? "stale" : ""}>
          <Pictures frame={frame} maxHeight={maxHeight} />
          <Recipe frame={frame} />
        </div>
      )}
    </>
  );
}

/** How the patterns were made. */
function Recipe({ frame: { failed, recipe, steps, inputRange } }: { frame: PatternFrame }) {
  const failures = failed.filter(Boolean).length;
  return (
    <p class="legend">
      Below each picture: its filter, the activation reached. Recipe “{recipe}”, {steps} steps
      {inputRange && `; black to white: inputs ${inputRange.join(" to ")}`}.
      {failures > 0 && <b class="bad"> ⚠ {failures} failed: no better than noise or natural inputs.</b>}
    </p>
  );
}

function Pictures({ frame, maxHeight }: { frame: PatternFrame; maxHeight: number }) {
  const list = useRef<HTMLDivElement>(null);
  const id = useName();
  useFocusPassing(list);
  const width = frame.shape[1] ?? 1;
  const size = picks.value.tile || Math.max(OWN_SIZE[0], Math.min(OWN_SIZE[1], width));
  const { filters } = frame;
  const at = Math.max(0, filters.indexOf(cursor.value));

  const onKeyDown = (event: KeyboardEvent) => {
    if (!list.current || event.ctrlKey || event.altKey || event.metaKey) return;
    const columns = getComputedStyle(list.current).gridTemplateColumns.split(" ").length;
    const to = moveCursor(event.key, at, { count: filters.length, columns }, ROWS_PER_PAGE);
    if (to !== null) {
      cursor.value = filters[to] ?? 0;
      list.current.children[to]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      openFilter(filters[at] ?? 0);
    } else {
      return;
    }
    event.preventDefault();
  };

  return (
    <div
      ref={list}
      class="patterns"
      style={`--tile:${size}px;--cell:${Math.max(size, NARROWEST)}px;max-height:${maxHeight}px`}
      role="listbox"
      tabIndex={0}
      aria-label={plural(filters.length, "pattern")}
      aria-activedescendant={id + at}
      data-testid="patterns"
      onKeyDown={onKeyDown}
    >
      {filters.map((filter, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys.
        <div
          key={filter}
          id={id + i}
          role="option"
          tabIndex={-1}
          aria-selected={i === at}
          data-filter={filter}
          onClick={() => openFilter(filter)}
        >
          <PatternPicture frame={frame} at={i} />
          <i>{filter}</i> <Activation frame={frame} at={i} brief />
        </div>
      ))}
    </div>
  );
}
