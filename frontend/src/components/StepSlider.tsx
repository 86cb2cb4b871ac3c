/** One slider for the steps of all cards, with play. */

import { useEffect, useState } from "preact/hooks";
import { formatTime, formatWhole } from "../format";
import { moveStep, pending, picks, stepPlace, steps, stepTime } from "../state";
import { Button } from "./controls";
import { Icon } from "./icons";

const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export function StepSlider() {
  const [playing, setPlaying] = useState(false);
  const all = steps();
  const place = stepPlace();
  const last = all.length - 1;
  const { align, speed, step } = picks();
  const relative = align === "relative";

  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      if (pending.value > 0) return; // Show each step: wait for its pictures.
      if (stepPlace() >= steps().length - 1) setPlaying(false);
      else moveStep(1);
    }, 1000 / speed);
    return () => clearInterval(timer);
  }, [playing, speed]);

  const toggle = () => {
    if (!playing && place >= last) moveStep(-last);
    setPlaying(!playing);
  };
  return (
    <div class="steps line">
      <Button
        data-testid="play"
        onClick={toggle}
        disabled={last < 1 || calm}
        aria-label={playing ? "Pause" : "Play"}
        title={calm ? "Off: your system asks for less motion" : ""}
      >
        <Icon name={playing ? "pause" : "play"} />
      </Button>
      <input
        type="range"
        min={0}
        max={Math.max(0, last)}
        value={place}
        disabled={last < 1}
        aria-label="Step"
        aria-valuetext={relative ? `${(all[place] ?? 0) / 10} %` : `${all[place]}, ${formatTime(stepTime())}`}
        title="Keys: [ and ]"
        onInput={(event) => {
          setPlaying(false);
          moveStep(event.currentTarget.valueAsNumber - place);
        }}
      />
      <span class="value" title={formatTime(stepTime())}>
        {relative ? (
          <b>{(all[place] ?? 0) / 10} %</b>
        ) : (
          <>
            Step <b>{all.length ? formatWhole(all[place] ?? 0) : "–"}</b>
            <i>
              {step === null ? " newest" : ` ${place + 1}`} of {all.length}
            </i>
          </>
        )}
      </span>
    </div>
  );
}
