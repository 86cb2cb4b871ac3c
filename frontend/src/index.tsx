/** TensorBoard imports this module into the tab's iframe and calls `render()` once. */
import { render as renderInto } from "preact";
import { fontRules, writePicks, writeSettings } from "./host";
import { writeSettings as settingsOf, writeAll } from "./picks";
import { dark, picks, start } from "./state";
import { onChange } from "./store";
import css from "./styles.css";
import { App } from "./views/App";

/** What was picked is in the address this long after. */
const SAVE_MS = 200;

export function render(): void {
  const style = document.createElement("style");
  style.textContent = fontRules() + css;
  document.head.append(style);
  document.documentElement.lang = "en";
  document.title = "Filters";
  const root = document.createElement("div");
  root.id = "filterviz";
  document.body.append(root);
  let place = "";
  let saving = 0;
  // What a slider picks in passing is not worth an entry of its own: browsers allow some writes a second.
  const save = () => {
    saving = 0;
    writePicks(writeAll(picks()), false);
    writeSettings(settingsOf(picks()));
  };
  const draw = () => {
    document.documentElement.classList.toggle("dark", dark());
    renderInto(<App />, root);
    const { view, layer, filter, kind } = picks();
    const now = JSON.stringify([view, layer, filter, kind]);
    if (place !== now) {
      writePicks(writeAll(picks()), place !== "");
      place = now;
    }
    if (!saving) saving = window.setTimeout(save, SAVE_MS);
  };
  window.addEventListener("pagehide", save);
  onChange(draw);
  start();
  draw();
}
