/** One slider for the steps of all cards, with play. */
import { useEffect, useState } from "preact/hooks";
import { formatTime } from "../format";
import { moveStep, pending, pick, picks, stepPlace, steps, stepTime } from "../state";
import { Icon } from "./icons";

const PLAY_MS = 600;

const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export function StepSlider() {
  const [playing, setPlaying] = useState(false);
  const all = steps.value;
  const place = stepPlace.value;
  const last = all.length - 1;

  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      if (pending.value > 0) return; // Show each step: wait for its pictures.
      if (stepPlace.value >= steps.value.length - 1) setPlaying(false);
      else moveStep(1);
    }, PLAY_MS);
    return () => clearInterval(timer);
  }, [playing]);

  const toggle = () => {
    if (!playing && place >= last) pick({ step: all[0] ?? null });
    setPlaying(!playing);
  };
  return (
    <div class="steps line" data-testid="step-slider">
      <button
        type="button"
        onClick={toggle}
        disabled={last < 1 || calm}
        aria-label={playing ? "Pause" : "Play"}
        title={calm ? "Off: your system asks for less motion" : ""}
        data-testid="play"
      >
        <Icon name={playing ? "pause" : "play"} />
      </button>
      <input
        type="range"
        min={0}
        max={Math.max(0, last)}
        value={place}
        disabled={last < 1}
        aria-label="Step"
        aria-valuetext={`${all[place]}, ${formatTime(stepTime.value)}`}
        title="Keys: [ and ]"
        onInput={(event) => {
          setPlaying(false);
          moveStep(event.currentTarget.valueAsNumber - place);
        }}
      />
      <span class="value" data-testid="step-value">
        Step <b>{all[place]?.toLocaleString() ?? "–"}</b>
        <i>
          {picks.value.step === null ? " newest" : ` ${place + 1}`} of {all.length} · {formatTime(stepTime.value)}
        </i>
      </span>
    </div>
  );
}
