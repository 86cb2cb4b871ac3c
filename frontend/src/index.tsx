/** TensorBoard imports this module into the tab's iframe and calls `render()` once. */
import { render as renderInto } from "preact";
import { writePicks, writeSettings } from "./host";
import { writeSettings as settingsOf, writeAll } from "./picks";
import { dark, picks, start } from "./state";
import { onChange } from "./store";
import css from "./styles.css";
import { App } from "./views/App";

export function render(): void {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  document.documentElement.lang = "en";
  document.title = "Filters";
  const root = document.createElement("div");
  root.id = "filterviz";
  document.body.append(root);
  let place = "";
  const draw = () => {
    document.documentElement.classList.toggle("dark", dark.value);
    renderInto(<App />, root);
    const { view, layer, filter, kind } = picks.value;
    const now = JSON.stringify([view, layer, filter, kind]);
    writePicks(writeAll(picks.value), place !== "" && place !== now);
    place = now;
    writeSettings(settingsOf(picks.value));
  };
  onChange(draw);
  start();
  draw();
}
