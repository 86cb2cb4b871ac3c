/** How high the pane of a view is: pictures take what its other parts leave. */
import { useEffect, useRef, useState } from "preact/hooks";

/** A reference for the pane, and its height in CSS pixels; 0 until it is known. */
export function usePaneHeight() {
  const pane = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry?.contentRect.height && setHeight(entry.contentRect.height));
    if (pane.current) observer.observe(pane.current);
    return () => observer.disconnect();
  }, []);
  return { pane, height };
}
