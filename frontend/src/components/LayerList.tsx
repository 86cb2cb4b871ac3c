/** The layers of the runs shown, in model order. */
import { useEffect, useRef } from "preact/hooks";
import { plural } from "../format";
import { type Layer, layerTitle, shapeText } from "../model";
import { isListed, layer, layers, openLayer } from "../state";
import { FilterBox } from "./FilterBox";

function Row({ one }: { one: Layer }) {
  const { kernel, patterns } = one;
  const series = kernel ?? patterns;
  const title = layerTitle(one);
  const current = one.key === layer()?.key;
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (current) row.current?.scrollIntoView({ block: "nearest" });
  }, [current]);
  return (
    series && (
      <button
        ref={row}
        type="button"
        class="layer"
        aria-current={current}
        onClick={() => openLayer(one.key)}
        title={title}
        data-key={one.key}
      >
        {title}
        <small>
          <span>{series.layer_class}</span>
          <span>{shapeText(series)}</span>
          {kernel && <span>{plural(kernel.filters, "filter")}</span>}
          {patterns && <span>{plural(patterns.filters, "pattern")}</span>}
        </small>
      </button>
    )
  );
}

export function LayerList() {
  const listed = layers().filter(isListed);
  const names = [...new Set(layers().map(({ name }) => name))];
  return (
    <nav class="layers" aria-label="Layers">
      <FilterBox label="Filter layers (regex)" name="layerFilter" />
      <div class="scroll">
        {names.map((name) => (
          <section key={name}>
            {names.length > 1 && <h2 class="ellipsis">{name}</h2>}
            {listed
              .filter((one) => one.name === name)
              .map((one) => (
                <Row key={one.key} one={one} />
              ))}
          </section>
        ))}
      </div>
    </nav>
  );
}
