/** One pattern, drawn at its own size; the page enlarges it. */
import { useEffect, useRef } from "preact/hooks";
import { formatNumber } from "../format";
import type { PatternFrame } from "../frames";
import { stretch } from "../paint/stretch";
import { picks } from "../state";

interface PatternProps {
  readonly frame: PatternFrame;
  /** Position in the frame. */
  readonly at: number;
}

export function PatternPicture({ frame, at }: PatternProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = frame.pictures[at];
  const stretched = picks().contrast === "stretched";
  const [height, width] = frame.shape;
  useEffect(() => {
    let wanted = true;
    const show = (bitmap: ImageBitmap) => {
      const target = canvas.current;
      const context = target?.getContext("2d");
      if (!wanted || !target || !context) return;
      target.width = bitmap.width;
      target.height = bitmap.height;
      context.drawImage(bitmap, 0, 0);
      if (stretched) {
        const image = context.getImageData(0, 0, bitmap.width, bitmap.height);
        stretch(image.data);
        context.putImageData(image, 0, 0);
      }
      performance.mark("filterviz:drawn");
    };
    const complain = () => {
      if (canvas.current) canvas.current.title = "This picture is damaged";
    };
    if (picture) createImageBitmap(picture).then(show, complain);
    return () => {
      wanted = false;
    };
  }, [picture, stretched]);
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={`pattern of filter ${frame.filters[at]}`}
      width={width}
      height={height}
      data-testid="pattern"
    />
  );
}

/** How far a pattern excites its filter; failure is a sign and a word, not only a colour. */
export function Activation({ frame, at, brief }: PatternProps & { brief?: boolean }) {
  const start = formatNumber(frame.start[at]);
  const reached = formatNumber(frame.reached[at]);
  const references = (["noise", "natural", "percentile"] as const)
    .filter((name) => typeof frame[name][at] === "number")
    .map((name) => `; ${name} ${formatNumber(frame[name][at])}`)
    .join("");
  const distinct = frame.objective === "distinct";
  const label = distinct ? "Lead" : "Activation";
  const unit = distinct ? " σ" : frame.spots[at] ? " at spots" : "";
  return (
    <span title={`${label}: ${start} at the start, ${reached}${unit} for this picture${references}`}>
      {frame.failed[at] && <b class="bad">⚠ failed </b>}
      {brief ? reached + unit : `${label} ${start} → ${reached}${unit}${references}`}
    </span>
  );
}
