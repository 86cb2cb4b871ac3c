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
import { type Resource, useAnalysis, useComparison, useKernels } from "../resource";
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
  /** The numbers of A's filters, all of them where one filter is opened. */
  readonly numbers: Resource<Analysis>;
  readonly stale: boolean;
  readonly url: string;
  readonly maxHeight: number;
}

interface AllPairsProps extends PairsProps {
  readonly order: readonly number[];
  /** Why the search was not understood; empty where it was. */
  readonly wrong: string;
}

/** All pairs of a layer. */
function Pairs({ sides, found, numbers, stale, url, maxHeight, order, wrong }: AllPairsProps) {
  const [{ series }] = sides;
  const slice = resolveInput(series, picks().input);
  const [, count = 0, channels] = found.shape;
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
  return (
    <>
      <ErrorText>{wrong || numbers.error}</ErrorText>
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
      {picks().find.trim() && !wrong && <SideBySide datum={sides[0]} filters={order} />}
    </>
  );
}

/** One pair: all its slices. */
function Pair({ sides, found, numbers, stale, filter, maxHeight }: PairsProps & { filter: number }) {
  const [a, b] = sides;
  const { series } = a;
  const [slice, setSlice] = useState(0);
  const partner = found.partners[filter] ?? -1;
  const inA = useKernels(kernelsUrl(a, String(filter), "all"));
  const inB = useKernels(partner < 0 ? null : kernelsUrl(b, String(partner), "all"));
  const fullB = useAnalysis(analysisUrl(b, "full"));
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
      <ErrorText>{inA.error || inB.error || numbers.error || fullB.error}</ErrorText>
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
      {numbers.value && fullB.value && (
        <div class={dimmed(stale || numbers.stale || fullB.stale, "pair-numbers")}>
          <Numbers
            of={[
              [numbers.value, filter],
              [fullB.value, partner],
            ]}
          />
        </div>
      )}
    </div>
  );
}

function Content({ sides, maxHeight }: { sides: Sides; maxHeight: number }) {
  const [a, b] = sides;
  const { series } = a;
  const { filter, find: text, input, match, runA, runB, sort } = picks();
  const trouble = obstacle(sides);
  const compared = useComparison(
    trouble ? null : compareUrl(...sides, matchOf(sides, match), resolveInput(series, input)),
  );
  const { value, url, stale, error } = compared;
  const fits = value?.shape[1] === series.filters && value.shape.slice(3).join() === spatialOf(series).join();
  const found = fits ? value : null;
  const find = useMemo(() => parseFind(text), [text]);
  const deep = filter !== null || (find.deep && find.names.some((name) => !/^(change|cosine)$/.test(name)));
  const numbers = useAnalysis(trouble ? null : analysisUrl(a, deep ? "full" : "stored"));
  const known = COMPARED_SORTS.find((one) => one === sort) ?? "index";
  const order = useMemo(
    () => found && arrange(series.filters, find, known, withPairs(numbers.value, found), new Map()),
    [series.filters, find, known, numbers.value, found],
  );
  const arranged = !!text.trim() || known !== "index";
  const gone = [runA, runB].filter((run, i) => run && run !== sides[i]?.run);
  const props = { sides, numbers, stale, url: url ?? "", maxHeight };
  return (
    <>
      <SidesBar sides={sides} />
      {filter !== null && (
        <DetailBar
          filter={filter}
          count={series.filters}
          found={arranged ? order : null}
          sources={arranged ? [compared, numbers] : []}
        />
      )}
      <div class="cards single">
        <article class="card">
          <header class="line">
            <h2 class="ellipsis">{layerTitle(series)}</h2>
            <i>{shapeText(series)}</i>
          </header>
          {gone.map((run) => (
            <ErrorText key={run}>{`There is no run “${run}” with this layer: another one is shown.`}</ErrorText>
          ))}
          <ErrorText>{trouble || error}</ErrorText>
          {!trouble && a.run === b.run && a.at === b.at && (
            <p>A and B are the same step of the same run. Choose another run, or pin a step.</p>
          )}
          {found && order && (
            <>
              <Facts stale={stale} what="Whole layer" change={found.change} cosine={found.cosine}>
                <i>
                  {found.partners.filter((other) => other >= 0).length} pairs,{" "}
                  {found.partners.filter((other, i) => other >= 0 && other !== i).length} of them with different numbers
                </i>
                <Unpaired filters={found.unpaired} />
              </Facts>
              {filter === null ? (
                <Pairs {...props} found={found} order={order} wrong={find.error} />
              ) : filter < series.filters ? (
                <Pair {...props} found={found} filter={filter} />
              ) : (
                <ErrorText>{noFilter(series, filter)}</ErrorText>
              )}
            </>
          )}
        </article>
      </div>
    </>
  );
}

export function Compare() {
  const { pane, height } = usePaneHeight();
  const sides = sidesPicked();
  return (
    <div class="cards-pane" ref={pane} data-testid="compare">
      {sides ? (
        height > 0 && <Content sides={sides} maxHeight={Math.max(LOWEST, height - AROUND)} />
      ) : (
        <p class="empty">No run has kernels of this layer.</p>
      )}
    </div>
  );
}
