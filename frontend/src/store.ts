/**
 * Values that redraw the page when they are set.
 *
 * The page is drawn from the top, once for all that was set in one go; Preact changes only what differs. What is
 * `computed` is kept until any value is set: there is nothing to subscribe to, and nothing to forget to.
 */

let version = 0;
let scheduled = false;
let redraw: () => void = () => {};

/** Says how to draw the page. */
export function onChange(draw: () => void): void {
  redraw = draw;
}

/** What is called answers the value. */
export interface State<T> {
  (): T;
  readonly set: (next: T) => void;
}

export function state<T>(initial: T): State<T> {
  let current = initial;
  const set = (next: T) => {
    if (next === current) return;
    current = next;
    version++;
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      redraw();
    });
  };
  return Object.assign(() => current, { set });
}

export function computed<T>(compute: () => T): () => T {
  let at = -1;
  let current: T;
  return () => {
    if (at !== version) {
      current = compute();
      at = version;
    }
    return current;
  };
}

/** A function of a list, such as 10,000 series, that is not computed again while the list has the same elements. */
export function remembered<T, R>(compute: (list: readonly T[]) => R): (list: readonly T[]) => R {
  let last: { list: readonly T[]; result: R } | null = null;
  return (list) => {
    const same = last && last.list.length === list.length && last.list.every((one, i) => one === list[i]);
    if (!last || !same) last = { list, result: compute(list) };
    return last.result;
  };
}
