/**
 * Names of properties that the build may shorten: neither the server (`http_api.md`) nor an address knows them, which a
 * test sees to, nor does a script use what browsers have under such a name.
 */
export const OURS = [
  "beyond captionOf captions clipped column[01] count current datum deep describe drawnKey formats hatched heads holds labelOf",
  "largest legend limitOf lost maxHeight moving narrow notes onCursor onHelp onMark onOpen onPick onSettings onSpot otherwise",
  "perRow pinned pitch[XY] pointed row[01] silent sources stale tests together urlOf",
].join(" ");
