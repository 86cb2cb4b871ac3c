import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { OURS } from "../ours.mjs";
import { DEFAULTS, writeAll } from "../src/picks";

const API = new URL("../../../tb_filterviz/http_api.md", import.meta.url);
const isOurs = new RegExp(`^(${OURS.replaceAll(" ", "|")})$`);
const clashes = (words: Iterable<string>) => [...new Set(words)].filter((word) => isOurs.test(word));

test("no name that the build shortens stands as code in what describes the server", () => {
  const [prose, json] = [/```.*?```|`([^`]+)`/gs, /```json(.*?)```/gs].map((code) =>
    [...readFileSync(API, "utf8").matchAll(code)].map(([, text = ""]) => text).join("\n"),
  ) as [string, string];
  const words = [...(prose.match(/\w+/g) ?? []), ...[...json.matchAll(/"(\w+)":/g)].map(([, key = ""]) => key)];
  for (const known of ["run_b", "caption", "superseded", "nearest_cosines"]) assert.ok(words.includes(known), known);
  assert.deepEqual(clashes(words), []);
});

test("no name that the build shortens is one of an address", () => {
  const picked = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, "x"]));
  const keys = [...writeAll({ ...DEFAULTS, ...picked, runs: ["x"] }).keys()];
  assert.ok(keys.includes("a") && keys.includes("stepA"), String(keys));
  assert.deepEqual(clashes([...keys, ...Object.keys(DEFAULTS)]), []);
});
