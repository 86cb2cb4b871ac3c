/** Three linked mosaics: A, B and their difference. What is pointed at or selected in one is so in all. */

import { useCallback, useMemo, useState } from "preact/hooks";
import { type Spot, type Tile, tileNumbers } from "../paint/mosaic";
import { LARGEST_TILE } from "../picks";
import { difference, limitsOf } from "../sides";
import { picks } from "../state";
import { Legend } from "./Legend";
import { Mosaic } from "./Mosaic";
import { Readout, valuesAt } from "./Readout";

interface PanelsProps {
  readonly a: Float32Array | null;
  readonly b: Float32Array | null;
  readonly tile: Tile;
  readonly count: number;
  /** What stands above A and above B. */
  readonly heads: readonly [string, string];
  /** How many tiles share one scale in A and B where each filter has its own: 1, or all slices of one filter. */
  readonly together: number;
  readonly captions: readonly ((tile: number) => string)[];
  readonly describe: (tile: number) => string;
  readonly cursor: number;
  readonly onCursor: (tile: number) => void;
  readonly onOpen: ((tile: number) => void) | null;
  readonly maxHeight: number;
  readonly stale: boolean;
  readonly drawnKey: string;
}

/** Scrolls the other pictures along. */
function scrollAlong({ target, currentTarget }: Event): void {
  const from = target as HTMLElement;
  for (const other of (currentTarget as HTMLElement).querySelectorAll(".mosaic")) {
    other.scrollTop = from.scrollTop;
    other.scrollLeft = from.scrollLeft;
  }
}

export function Panels(props: PanelsProps) {
  const { a, b, tile, count, heads, together, captions, describe } = props;
  const { scale } = picks();
  const [spot, setSpot] = useState<Spot | null>(null);
  const numbers = tileNumbers(tile);
  const own = useMemo(() => (a && b ? difference(a, b) : null), [a, b]);
  const limits = useMemo(() => {
    const size = numbers * together;
    const [inA, inB] = [a, b].map((values) => (values ? limitsOf(values, size) : [])) as [number[], number[]];
    return inA.map((limit, i) => Math.max(limit, inB[i] ?? 0));
  }, [a, b, numbers, together]);
  const difLimit = useMemo(() => (own ? (limitsOf(own, own.length)[0] ?? 0) : 0), [own]);
  const limit =
    typeof scale === "number" ? scale : scale === "layer" || limits.length === 1 ? Math.max(0, ...limits) : null;
  const limitOf = useCallback((i: number) => limit ?? limits[Math.floor(i / together)] ?? 0, [limit, limits, together]);
  const difLimitOf = useCallback(() => difLimit, [difLimit]);
  const rgb = tile.channels === 3;
  const read = (values: Float32Array | null, at: Spot) => valuesAt(values, tile, at);
  const sides = [a, b, own] as const;
  return (
    <>
      <div class="panels" onScrollCapture={scrollAlong}>
        {[...heads, "B − A"].map((head, side) => (
          <section key={side}>
            <h3 class="ellipsis" title={head}>
              {head}
            </h3>
            <Mosaic
              {...props}
              perRow={0}
              largest={LARGEST_TILE}
              values={sides[side] ?? null}
              limitOf={side === 2 ? difLimitOf : limitOf}
              hatched
              beyond={side < 2 && typeof scale === "number" ? scale : null}
              captionOf={captions[side] ?? null}
              drawnKey={props.drawnKey + side}
              label={`${head}, ${count} pictures`}
              onSpot={setSpot}
              pointed={spot?.tile ?? -1}
              silent={side > 0}
            />
          </section>
        ))}
      </div>
      <div class="below">
        <div class="line legend">
          A, B: <Legend limit={limit} rgb={rgb} otherwise="each pair’s max" />
        </div>
        <div class="line legend">
          B − A: <Legend limit={difLimit} rgb={rgb} />
        </div>
      </div>
      <Readout tile={tile} spot={spot && own && spot.tile < count ? spot : null} describe={describe}>
        {(at) => `A ${read(a, at)} · B ${read(b, at)} · B − A ${read(own, at)}`}
      </Readout>
    </>
  );
}
