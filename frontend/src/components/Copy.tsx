/** Copies the numbers of a filter and of its pattern, as the tables that may be saved (CSV). */
import { useState } from "preact/hooks";
import { type Datum, exportUrl, get } from "../api";
import { Button } from "./controls";

const tableOf = async (datum: Datum, filters: string): Promise<string> =>
  (await get(exportUrl(datum, { what: "numbers", format: "csv", filters }))).text();

/** Not by `navigator.clipboard`: a page that comes by plain HTTP from another machine has none. */
function copy(text: string): boolean {
  document.addEventListener(
    "copy",
    (event) => {
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
    },
    { once: true },
  );
  return document.execCommand("copy");
}

/** @param of - The kernel and the patterns, where they are; a filter without a pattern has no row in their table. */
export function Copy({ of, filter }: { of: readonly (Datum | null)[]; filter: number }) {
  const [label, setLabel] = useState("Copy values");
  const copyAll = async () => {
    const texts = await Promise.all(of.map((datum) => datum && tableOf(datum, String(filter)).catch(() => "")));
    const text = texts.join("");
    setLabel(text && copy(text) ? "Copied" : "Nothing was copied");
  };
  return <Button onClick={copyAll}>{label}</Button>;
}
