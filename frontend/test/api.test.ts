import assert from "node:assert/strict";
import { test } from "node:test";
import { analysisUrl, compareUrl, exportUrl, historyUrl, kernelsUrl, parseIndex } from "../src/api";
import { type Series, timeAt } from "../src/model";

test("each series has the steps of its timeline", () => {
  const timelines = [
    { steps: [0, 1], wall_time: 5, elapsed_ms: [0, 500] },
    { steps: [7], wall_time: 8, elapsed_ms: [0] },
  ];
  const runs = [
    { run: "a", timelines, series: [1, 0, 1].map((timeline) => ({ tag: "t", timeline })) },
    { run: "b", timelines: timelines.slice(1), series: [{ tag: "t", timeline: 0 }] },
  ];
  const [a, b] = parseIndex(JSON.stringify({ version: 1, runs })).runs;
  assert.deepEqual(
    a?.series.map(({ steps }) => steps),
    [[7], [0, 1], [7]],
  );
  assert.deepEqual(b?.series[0]?.steps, [7]);
  assert.equal(a?.series[1] && timeAt(a.series[1], 1), 5.5);
});

test("an index of another version is refused", () => {
  assert.throws(() => parseIndex('{"version": 2, "runs": []}'), /knows version 1 of the index. Received: 2/);
});

test("addresses of what depends on all steps carry their version, others the time of their datum", () => {
  const series = {
    tag: "t",
    steps: [0, 4],
    wall_time: 5,
    elapsed_ms: [0, 500],
    version: "9f2c01d7",
  } as unknown as Series;
  const datum = { run: "a", series, at: 1 };
  const versionOf = (url: string) => new URLSearchParams(url.split("?")[1]).get("v");
  const all = [analysisUrl(datum, "full"), historyUrl("a", series, null), historyUrl("a", series, 3)];
  for (const url of [...all, exportUrl(datum, { what: "numbers" })]) assert.equal(versionOf(url), "9f2c01d7");
  for (const url of [analysisUrl(datum), kernelsUrl(datum, "all", "mean")]) assert.equal(versionOf(url), "5.5");
  assert.equal(versionOf(compareUrl({ ...datum, at: 0 }, datum, "index", "mean")), "5-5.5");
});
