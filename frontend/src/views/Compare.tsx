/** A layer at two steps or in two runs: A, B and their difference, filter by filter. */
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { type Analysis, analysisUrl, compareUrl, kernelsUrl } from "../api";
import { ErrorText } from "../components/Card";
import { DetailBar } from "../components/DetailBar";
import { Numbers } from "../components/Numbers";
import { Panels } from "../components/Panels";
import { usePaneHeight } from "../components/pane";
import { SidesBar } from "../components/Sides";
import { dimmed, formatNumber, plural } from "../format";
import type { Comparison } from "../frames";
import { inputsOf, layerTitle, modelInput, noFilter, resolveInput, shapeText, spatialOf } from "../model";
import { tileNumbers, tileOf } from "../paint/mosaic";
import { COMPARED_SORTS } from "../picks";
import { useAnalysis, useComparison, useKernels } from "../resource";
import { arrange, gather, parseFind } from "../selection";
import { matchOf, obstacle, pairName, type Side, type Sides } from "../sides";
import { cursor, meaning, openFilter, picks, sides as sidesPicked } from "../state";
import { SideBySide } from "./SideBySide";

/** Height of what surrounds the pictures, in CSS pixels, and the least that they get. */
const AROUND = 250;
const LOWEST = 240;
/** How many filters a line of text names. */
const MOST_NAMED = 12;

const head = (name: string, side: Side) => `${name} · step ${side.series.steps[side.at]} · ${side.run}`;
const heads = ([a, b]: Sides) => [head("A", a), head("B", b)] as const;

/** The numbers of A's filters, with those of each pair. */
function withPairs(ofA: Analysis | null, found: Comparison): Analysis {
  return {
    dtype: "",
    encoding: "",
    ...ofA,
    // The first of a name counts: those of the pair, not those since A's own past.
    names: ["change", "cosine", ...(ofA?.names ?? [])],
    values: found.partners.map((_, i) => [
      found.changes[i] ?? null,
      found.cosines[i] ?? null,
      ...(ofA?.values[i] ?? []),
    ]),
  };
}

interface FactsProps {
  readonly stale: boolean;
  readonly what: string;
  readonly change: number | null | undefined;
  readonly cosine: number | null | undefined;
  readonly children?: ComponentChildren;
}

/** How far B is from A. */
function Facts({ stale, what, change, cosine, children }: FactsProps) {
  return (
    <div class={dimmed(stale, "line facts")} data-testid="facts">
      <span title={meaning("change")[1]}>
        {what}: relative change <b>{formatNumber(change)}</b>
      </span>
      <span title={meaning("cosine")[1]}>
        cosine <b>{formatNumber(cosine)}</b>
      </span>
      {children}
    </div>
  );
}

/** The filters of B that no picture and no number tells of. */
function Unpaired({ filters }: { filters: readonly number[] }) {
  const more = filters.length > MOST_NAMED ? ", …" : "";
  return filters.length ? (
    <b data-testid="unpaired">
      ⚠ B has {plural(filters.length, "filter")} more: {filters.slice(0, MOST_NAMED).join(", ")}
      {more}
    </b>
  ) : null;
}

interface PairsProps {
  readonly sides: Sides;
  readonly found: Comparison;
  readonly stale: boolean;
  readonly url: string;
  readonly maxHeight: number;
}

/** All pairs of a layer. */
function Pairs({ sides, found, stale, url, maxHeight }: PairsProps) {
  const [{ series }] = sides;
  const { find: text, sort } = picks();
  const slice = resolveInput(series, picks().input);
  const find = useMemo(() => parseFind(text), [text]);
  const deep = find.deep && find.names.some((name) => !/^(change|cosine)$/.test(name));
  const numbers = useAnalysis(analysisUrl(sides[0], deep ? "full" : "stored"));
  const analysis = useMemo(() => withPairs(numbers.value, found), [numbers.value, found]);
  const [, count = 0, channels] = found.shape;
  const known = COMPARED_SORTS.find((one) => one === sort) ?? "index";
  const order = useMemo(() => arrange(count, find, known, analysis, new Map()), [count, find, known, analysis]);
  const tile = tileOf(spatialOf(series), channels === 3 ? 3 : 1);
  const size = tileNumbers(tile);
  const [a, b] = useMemo(
    () =>
      [0, 1].map((side) => gather(found.values.subarray(side * count * size), size, order)) as [
        Float32Array,
        Float32Array,
      ],
    [found, count, size, order],
  );
  const filterAt = (at: number) => order[at] ?? 0;
  const partnerAt = (at: number) => found.partners[filterAt(at)] ?? -1;
  const describe = (at: number) => {
    const filter = filterAt(at);
    const input = found.chosen?.[filter] ?? (typeof slice === "number" ? slice : undefined);
    return [
      `filter ${pairName(filter, partnerAt(at))} of ${series.filters}`,
      input !== undefined && `input ${modelInput(series, filter, input)}`,
      `change ${formatNumber(found.changes[filter])}`,
      `cosine ${formatNumber(found.cosines[filter])}`,
    ]
      .filter(Boolean)
      .join(", ");
  };
  const captions = [
    (at: number) => String(filterAt(at)),
    (at: number) => pairName(filterAt(at), partnerAt(at)),
    (at: number) => formatNumber(found.changes[filterAt(at)]),
  ];
  const error = find.error || numbers.error;
  return (
    <>
      <ErrorText>{error}</ErrorText>
      <Panels
        a={a}
        b={b}
        tile={tile}
        count={order.length}
        heads={heads(sides)}
        together={1}
        captions={captions}
        describe={describe}
        cursor={Math.max(0, order.indexOf(cursor()))}
        onCursor={(at) => {
          cursor.set(filterAt(at));
        }}
        onOpen={(at) => openFilter(filterAt(at))}
        maxHeight={maxHeight}
        stale={stale || numbers.stale}
        drawnKey={`${url} ${order.join()}`}
      />
      <p class="legend" data-testid="pairs">
        {order.length < count && `${order.length} of `}
        {plural(count, "filter")}. Below B: A ← B, where their numbers differ. Below B − A: relative change.
      </p>
      {text.trim() && !find.error && <SideBySide datum={sides[0]} filters={order} />}
    </>
  );
}

/** One pair: all its slices. */
function Pair({ sides, found, stale, filter, maxHeight }: PairsProps & { filter: number }) {
  const [a, b] = sides;
  const { series } = a;
  const [slice, setSlice] = useState(0);
  const partner = found.partners[filter] ?? -1;
  const inA = useKernels(kernelsUrl(a, String(filter), "all"));
  const inB = useKernels(partner < 0 ? null : kernelsUrl(b, String(partner), "all"));
  const [fullA, fullB] = [useAnalysis(analysisUrl(a, "full")), useAnalysis(analysisUrl(b, "full"))];
  if (partner < 0) return <ErrorText>{`Filter ${filter} of A has no partner in B`}</ErrorText>;
  const tile = tileOf(spatialOf(series));
  const slices = inputsOf(series);
  const fits = (values: Float32Array | undefined) => (values?.length === slices * tileNumbers(tile) ? values : null);
  const input = (at: number) => String(modelInput(series, filter, at));
  return (
    <div data-testid="pair" data-filter={filter} data-partner={partner}>
      <Facts
        stale={stale}
        what={`Filter ${pairName(filter, partner)}`}
        change={found.changes[filter]}
        cosine={found.cosines[filter]}
      />
      <ErrorText>{inA.error || inB.error || fullA.error || fullB.error}</ErrorText>
      <Panels
        a={fits(inA.value?.values)}
        b={fits(inB.value?.values)}
        tile={tile}
        count={slices}
        heads={heads(sides)}
        together={slices}
        captions={[]}
        describe={(at) => `filter ${pairName(filter, partner)}, input ${input(at)}`}
        cursor={slice}
        onCursor={setSlice}
        onOpen={null}
        maxHeight={maxHeight}
        stale={stale || inA.stale || inB.stale}
        drawnKey={`${inA.url} ${inB.url}`}
      />
      {fullA.value && fullB.value && (
        <div class={dimmed(stale || fullA.stale || fullB.stale, "pair-numbers")}>
          <Numbers
            of={[
              [fullA.value, filter],
              [fullB.value, partner],
            ]}
          />
        </div>
      )}
    </div>
  );
}

function Content({ sides, maxHeight }: { sides: Sides; maxHeight: number }) {
  const [a] = sides;
  const { filter, input, match } = picks();
  const url = compareUrl(...sides, matchOf(sides, match), resolveInput(a.series, input));
  const { value, url: shown, stale, error } = useComparison(url);
  const fits = value?.shape[1] === a.series.filters && value.shape.slice(3).join() === spatialOf(a.series).join();
  const same = a.run === sides[1].run && a.at === sides[1].at;
  const props = { sides, stale, url: shown ?? "", maxHeight };
  return (
    <>
      <ErrorText>{error}</ErrorText>
      {same && <p>A and B are the same step of the same run. Choose another run, or pin a step.</p>}
      {value && fits && (
        <>
          <Facts stale={stale} what="Whole layer" change={value.change} cosine={value.cosine}>
            <i>
              {value.partners.filter((other) => other >= 0).length} pairs,{" "}
              {value.partners.filter((other, i) => other >= 0 && other !== i).length} of them with different numbers
            </i>
            <Unpaired filters={value.unpaired} />
          </Facts>
          {filter === null ? (
            <Pairs {...props} found={value} />
          ) : filter < a.series.filters ? (
            <Pair {...props} found={value} filter={filter} />
          ) : (
            <ErrorText>{noFilter(a.series, filter)}</ErrorText>
          )}
        </>
      )}
    </>
  );
}

export function Compare() {
  const { pane, height } = usePaneHeight();
  const sides = sidesPicked();
  const { filter, runA, runB } = picks();
  const gone = sides && [runA, runB].filter((run, i) => run && run !== sides[i]?.run);
  const trouble = sides && obstacle(sides);
  return (
    <div class="cards-pane" ref={pane} data-testid="compare">
      {sides ? (
        <>
          <SidesBar sides={sides} />
          {filter !== null && <DetailBar filter={filter} />}
          <div class="cards single">
            <article class="card">
              <header class="line">
                <h2 class="ellipsis">{layerTitle(sides[0].series)}</h2>
                <i>{shapeText(sides[0].series)}</i>
              </header>
              {gone?.map((run) => (
                <ErrorText key={run}>{`There is no run “${run}” with this layer: another one is shown.`}</ErrorText>
              ))}
              {trouble ? (
                <ErrorText>{trouble}</ErrorText>
              ) : (
                height > 0 && <Content sides={sides} maxHeight={Math.max(LOWEST, height - AROUND)} />
              )}
            </article>
          </div>
        </>
      ) : (
        <p class="empty">No run has kernels of this layer.</p>
      )}
    </div>
  );
}
