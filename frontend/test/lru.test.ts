import assert from "node:assert/strict";
import { test } from "node:test";
import { Lru } from "../src/lru";

test("the bound holds whatever comes", () => {
  const lru = new Lru<number>(100);
  const held = new Map<string, number>();
  let seed = 1;
  for (let i = 0; i < 2000; i++) {
    seed = (seed * 48271) % 2147483647;
    const key = `k${seed % 17}`;
    lru.set(key, i, seed % 60);
    held.set(key, i);
    assert.ok(lru.bytes <= 100 && lru.bytes >= 0);
    assert.equal(lru.get(key), i);
  }
});

test("what was used least recently goes first", () => {
  const lru = new Lru<string>(30);
  for (const key of ["a", "b", "c"]) lru.set(key, key, 10);
  lru.get("a");
  lru.set("d", "d", 10);
  assert.deepEqual(
    ["a", "b", "c", "d"].map((key) => lru.get(key)),
    ["a", undefined, "c", "d"],
  );
});

test("a value replaced gives its bytes back, one too large is not held", () => {
  const lru = new Lru<string>(30);
  lru.set("a", "old", 30);
  lru.set("a", "new", 10);
  assert.equal(lru.bytes, 10);
  lru.set("b", "huge", 31);
  assert.equal(lru.get("b"), undefined);
  assert.equal(lru.get("a"), "new");
  lru.set("a", "huge", 31);
  assert.equal(lru.get("a"), undefined);
  assert.equal(lru.bytes, 0);
});
