/**
 * All that the tab knows about TensorBoard, which shows it in an iframe of the same origin.
 *
 * Everything here is optional: opened alone, or below a page of another origin, the tab works without it.
 */

const PREFIX = "p.filterviz.";

/** Runs what may be refused: reaching into a parent of another origin throws. */
function attempt<T>(action: () => T, otherwise: T): T {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

/** The window whose address the user sees. */
function host(): Window {
  return attempt(() => (window.parent.location.href ? window.parent : window), window);
}

/** Splits an address's fragment at `&` into our picks and everybody else's parts. */
export function splitHash(hash: string): { picks: Map<string, string>; others: string[] } {
  const picks = new Map<string, string>();
  const others: string[] = [];
  for (const part of hash.replace(/^#/, "").split("&")) {
    const [key = "", value] = part.split("=", 2);
    const name = attempt(() => decodeURIComponent(key), "");
    if (name.startsWith(PREFIX) && value !== undefined) {
      picks.set(
        name.slice(PREFIX.length),
        attempt(() => decodeURIComponent(value), ""),
      );
    } else if (part) {
      others.push(part);
    }
  }
  return { picks, others };
}

/** Writes our picks into a fragment and leaves the other parts, TensorBoard's own, as they are. */
export function joinHash(hash: string, picks: ReadonlyMap<string, string>): string {
  const ours = [...picks].map(([key, value]) => `${PREFIX}${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  const parts = [...splitHash(hash).others, ...ours];
  return parts.length ? `#${parts.join("&")}` : "";
}

/** The picks in the address. */
export function readPicks(): Map<string, string> {
  return attempt(() => splitHash(host().location.hash).picks, new Map());
}

/** Puts picks into the address; with those of the entry `left` as a new one, from which the back button returns to it. */
export function writePicks(picks: ReadonlyMap<string, string>, left?: ReadonlyMap<string, string>): void {
  attempt(() => {
    const { location, history } = host();
    const hash = joinHash(location.hash, picks);
    if (hash === location.hash) return;
    const address = `${location.pathname}${location.search}${hash}`;
    if (left) {
      writePicks(left);
      history.pushState(history.state, "", address);
    } else history.replaceState(history.state, "", address);
  }, undefined);
}

const SETTINGS = "filterviz.settings";

/** The settings of the last visit. */
export function readSettings(): Map<string, string> {
  return attempt(() => new Map<string, string>(JSON.parse(localStorage.getItem(SETTINGS) ?? "[]")), new Map());
}

export function writeSettings(settings: ReadonlyMap<string, string>): void {
  attempt(() => localStorage.setItem(SETTINGS, JSON.stringify([...settings])), undefined);
}

/** Calls back when someone else changed the address: a link, or the browser's back button. */
export function onPicksChanged(callback: () => void): void {
  attempt(() => host().addEventListener("hashchange", callback), undefined);
}

/** TensorBoard's own fonts, as rules of style: a frame does not inherit them. */
export function fontRules(): string {
  return attempt(
    () =>
      [...host().document.styleSheets]
        .flatMap((sheet) => attempt(() => [...sheet.cssRules], []))
        // To write out all of TensorBoard's thousands of rules would take a tenth of a second.
        .filter((rule) => rule.constructor.name === "CSSFontFaceRule")
        .map((rule) => rule.cssText)
        .join(""),
    "",
  );
}

/** Whether the tab cannot be seen. TensorBoard hides the frame of a tab by giving it no height. */
export function isHidden(): boolean {
  return document.hidden || window.innerHeight === 0;
}

/** Follows TensorBoard's theme, which is a class of its body. */
export function followTheme(callback: (dark: boolean) => void): void {
  attempt(() => {
    const { body } = host().document;
    const report = () => callback(body.classList.contains("dark-mode"));
    new MutationObserver(report).observe(body, { attributes: true, attributeFilter: ["class"] });
    report();
  }, undefined);
}
