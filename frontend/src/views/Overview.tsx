/** All layers of one run in model order: a strip of filters, their course, and what is wrong with them. */

import { useEffect, useRef, useState } from "preact/hooks";
import { analysisUrl, type Datum, historyUrl, kernelsUrl } from "../api";
import { Basis } from "../components/Basis";
import { Disc, ErrorText } from "../components/Card";
import { Button, Select } from "../components/controls";
import { Plot } from "../components/Plot";
import { useResize } from "../components/pane";
import { Strip } from "../components/Strip";
import { dimmed, formatNumber } from "../format";
import { isRgb, layerKey, layerTitle, type Series, shapeText, spatialOf } from "../model";
import { tileNumbers, tileOf } from "../paint/mosaic";
import { useAnalysis, useKernels, useLayerHistory } from "../resource";
import { arrange, parseFind } from "../selection";
import { isListed, mainRun, meaning, openLayer, pick, placeIn, shownRuns } from "../state";

/**
 * Height of a row in CSS pixels, and of one without a course: fixed, so that rows out of sight need not be there. In a
 * pane narrower than this the numbers stand below the course, and take so much more.
 */
const ROW = 132;
const LOW_ROW = 92;
const NARROW = 760;
const MORE = 76;
const STRIP_FILTERS = 32;
/** Width of a picture of one row, which would be too low to be seen otherwise. */
const LONG = 45;
/** Rows that come into sight while the pane scrolls ask for nothing until it rests this long. */
const REST_MS = 100;

/** What filters are counted by: searches for them. */
const BADGES = ["dead", "duplicate", "flipped"];
const QUALITY = ["randomness", "orthogonality", "sparsity"] as const;
const NEAR_RANDOM = 0.98;

function Badges({ datum }: { datum: Datum }) {
  const { series } = datum;
  const { value, stale, error } = useAnalysis(analysisUrl(datum, "full"));
  if (error) return <ErrorText>{error}</ErrorText>;
  if (!value?.layer) return <i>…</i>;
  const quality = value.layer;
  return (
    <div class={dimmed(stale, "badges")}>
      {BADGES.map((word) => {
        const find = parseFind(word);
        const found = arrange(series.filters, find, "index", value, new Map()).length;
        return (
          <Button
            key={word}
            disabled={!found}
            title={`Show the ${word} filters: ${meaning(find.names[0] ?? "")[1]}`}
            onClick={() => openLayer(layerKey(series), word)}
            data-testid={`badge-${word}`}
          >
            {found} {word}
          </Button>
        );
      })}
      {(quality.randomness ?? 0) >= NEAR_RANDOM && (
        <b class="bad" title={meaning("randomness")[1]}>
          ⚠ near random
        </b>
      )}
      {QUALITY.map((name) => (
        <i key={name} title={meaning(name)[1]}>
          {meaning(name)[0]} {quality[name] === null ? "–" : formatNumber(quality[name])}
        </i>
      ))}
      <Basis analysis={value} series={series} size={18} />
    </div>
  );
}

function Content({ datum }: { datum: Datum }) {
  const { run, series } = datum;
  const rgb = isRgb(series);
  const count = Math.min(STRIP_FILTERS, series.filters);
  const { value, stale, error } = useKernels(kernelsUrl(datum, `0:${count}`, rgb ? "rgb" : "strongest"));
  // Pictures come first: browsers ask a server for six things at a time, and the rest takes computing.
  const ready = value || error;
  const past = useLayerHistory(ready && series.steps.length > 1 ? historyUrl(run, series, null) : null);
  const course = past.value;
  const tile = tileOf(spatialOf(series), rgb ? 3 : 1);
  const step = series.steps[datum.at];
  return (
    <>
      <ErrorText>{error || past.error}</ErrorText>
      <div class={dimmed(stale, "line course")}>
        {value?.values.length === count * tileNumbers(tile) && (
          <Strip
            values={value.values}
            tile={tile}
            count={count}
            size={tile.height > 1 ? 18 : LONG}
            limitOf={(i) => value.limits[i] ?? 0}
            hatched={value.nonfinite > 0}
            label={`the first ${count} filters`}
          />
        )}
      </div>
      <div class="line course">
        {course && (
          <>
            <Plot
              label="Norm"
              steps={course.steps}
              line={course.norms.map((five) => five?.[2])}
              band={course.norms.map((five) => (five ? [five[0] ?? 0, five[4] ?? 0] : null))}
              mark={step}
            />
            <Plot label="Change" steps={course.change_steps.slice(1)} line={course.changes} mark={step} />
          </>
        )}
        {/* What keeps the pictures away has been said once. */}
        {ready && !error && <Badges datum={datum} />}
      </div>
    </>
  );
}

interface RowProps {
  readonly run: string;
  readonly series: Series;
  readonly top: number;
  readonly height: number;
  /** Whether the rows are flying past. */
  readonly moving: boolean;
}

function Row({ run, series, top, height, moving }: RowProps) {
  const [rested, setRested] = useState(!moving);
  useEffect(() => {
    if (!moving) setRested(true);
  }, [moving]);
  const at = placeIn(series);
  return (
    <li class="overview-row" style={`top:${top}px;height:${height}px`} data-path={series.path}>
      <div class="line">
        <Button class="plain ellipsis" onClick={() => openLayer(layerKey(series))}>
          <b>{layerTitle(series)}</b>
        </Button>
        <i class="ellipsis">
          {series.layer_class} {shapeText(series)}
        </i>
      </div>
      {at < 0 ? <i>Nothing was logged up to this step.</i> : rested && <Content datum={{ run, series, at }} />}
    </li>
  );
}

export function Overview() {
  const run = mainRun();
  const rows = (run?.series ?? []).filter((one) => one.kind === "kernel" && isListed(one));
  const pane = useRef<HTMLDivElement>(null);
  const [{ first, last, narrow }, setRange] = useState({ first: 0, last: 0, narrow: false });
  const height = (rows.some(({ steps }) => steps.length > 1) ? ROW : LOW_ROW) + (narrow ? MORE : 0);
  const [moving, setMoving] = useState(false);
  const resting = useRef(0);
  const measure = () => {
    if (!pane.current) return;
    const { scrollTop, clientHeight, clientWidth } = pane.current;
    const now = {
      first: Math.max(0, Math.floor(scrollTop / height) - 1),
      last: Math.ceil((scrollTop + clientHeight) / height) + 1,
      // Its height does not tell: a tab that TensorBoard hides keeps its width.
      narrow: clientWidth < NARROW,
    };
    setRange((old) => (String(Object.values(old)) === String(Object.values(now)) ? old : now));
  };
  const onScroll = () => {
    measure();
    setMoving(true);
    clearTimeout(resting.current);
    resting.current = window.setTimeout(() => setMoving(false), REST_MS);
  };
  useResize(pane, measure, height);
  return (
    <div class="cards-pane" ref={pane} onScroll={onScroll} data-testid="overview" tabIndex={-1}>
      <div class="bar-above line">
        {run && (
          <>
            <Disc run={run.run} />
            <Select
              label="Run of the overview"
              value={run.run}
              options={shownRuns().map((one) => [one.run, one.run])}
              onPick={(main) => pick({ main })}
            />
          </>
        )}
        <i>{rows.length} layers</i>
      </div>
      {!rows.length && <p class="empty">No run is checked that has kernels of these layers.</p>}
      <ul class={narrow ? "overview narrow" : "overview"} style={`height:${rows.length * height}px`}>
        {run &&
          rows
            .slice(first, last)
            .map((series, i) => (
              <Row
                key={`${run.run}|${series.tag}`}
                run={run.run}
                series={series}
                top={(first + i) * height}
                height={height}
                moving={moving}
              />
            ))}
      </ul>
    </div>
  );
}
