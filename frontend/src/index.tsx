/** TensorBoard imports this module into the tab's iframe and calls `render()` once. */
import { render as renderInto } from "preact";
import { fontRules, writePicks } from "./host";
import { writeAll } from "./picks";
import { dark, picks, start } from "./state";
import { onChange } from "./store";
import css from "./styles.css";
import { App } from "./views/App";

/** The address is written at once, and then no more often than this. */
const SAVE_MS = 500;

export function render(): void {
  start(); // The answer of the server is on its way while the page is put up.
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
  let saved = picks(); // which `draw` writes first of all
  let drawn = saved;
  // What a slider picks in passing is not worth an entry of its own: browsers allow some writes a second.
  const save = () => {
    saving = 0;
    if (saved === picks()) return;
    saved = picks();
    writePicks(writeAll(saved));
    saving = window.setTimeout(save, SAVE_MS);
  };
  const draw = () => {
    document.documentElement.classList.toggle("dark", dark());
    renderInto(<App />, root);
    const { view, layer, filter, kind } = picks();
    // From one opened filter to another is no way back: it leads to the grid.
    const now = JSON.stringify([view, layer, filter === null, kind]);
    if (place !== now) {
      writePicks(writeAll(picks()), place ? writeAll(drawn) : undefined);
      place = now;
    }
    drawn = picks();
    if (!saving) save();
  };
  window.addEventListener("pagehide", save);
  onChange(draw);
  draw();
}
