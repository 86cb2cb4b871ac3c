/** Sizes of elements, which change as the window does. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/**
 * Calls back with an element's size, at first and whenever it changes.
 *
 * @param again - A change of it calls back, too.
 */
export function useResize(
  element: { readonly current: HTMLElement | null },
  act: (element: HTMLElement) => void,
  again?: unknown,
): void {
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const observer = new ResizeObserver(() => act(current));
    observer.observe(current);
    act(current);
    return () => observer.disconnect();
  }, [again]);
}

/** A reference for the pane of a view, and its height in CSS pixels, of which pictures take what its other parts leave. */
export function usePaneHeight() {
  const pane = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(0);
  // A tab that TensorBoard hides has no height, and keeps its pictures.
  useResize(pane, ({ clientHeight }) => clientHeight && setHeight(clientHeight));
  return { pane, height };
}
