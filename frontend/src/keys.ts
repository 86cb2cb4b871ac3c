/** Whether a key is a shortcut of the browser's. */
export const isModified = (event: KeyboardEvent): boolean => event.ctrlKey || event.altKey || event.metaKey;

/** Whether a click marks what it would open otherwise. */
export const isMarking = (event: MouseEvent): boolean => event.ctrlKey || event.metaKey || event.shiftKey;

/** Where a key moves the cursor of a grid; null for keys that move nothing. */
export function moveCursor(
  key: string,
  at: number,
  grid: { count: number; perRow: number },
  rowsPerPage: number,
): number | null {
  const last = grid.count - 1;
  const page = Math.max(1, rowsPerPage) * grid.perRow;
  const to = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - grid.perRow,
    ArrowDown: at + grid.perRow,
    PageUp: at - page,
    PageDown: at + page,
    Home: 0,
    End: last,
  }[key];
  if (to === undefined || last < 0) return null;
  // Up and down stop at the edge in their own column; a last row that is too short takes the last tile.
  if (to < 0) return key === "ArrowLeft" ? 0 : at % grid.perRow;
  if (to > last && key !== "ArrowRight" && at >= last - (last % grid.perRow)) return at;
  return Math.min(to, last);
}
