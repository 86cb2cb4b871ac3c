import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIndex } from "../src/api";
import { timeAt } from "../src/model";

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
