/** For pictures that take the keyboard: keyboard focus that survives a change of view: pictures that come take it over from pictures that went. */
import { useLayoutEffect, useState } from "preact/hooks";

let waiting = false;
let ids = 0;

/** An identity for one element of a component. */
export function useName(): string {
  return useState(() => `filterviz-${ids++}`)[0];
}

/** Lets the pictures that come next take the focus. */
export function passFocus(): void {
  waiting = true;
}

/** Takes the focus where it waits, and passes it on when the element goes with it. */
export function useFocusPassing(element: { readonly current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const { current } = element;
    if (waiting) current?.focus();
    waiting = false;
    return () => {
      if (current === document.activeElement) waiting = true;
    };
  }, [element]);
}
