/** Icons, drawn on a 24 × 24 grid. They say nothing on their own: their buttons carry the labels. */
const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  left: "M15 5l-7 7 7 7 1.5-1.5L11 12l5.5-5.5z",
  right: "M9 5l7 7-7 7-1.5-1.5L13 12 7.5 6.500z",
  swap: "M8 5v4h9v2H4v-1zM16 19v-4H7v-2h13v1z",
  close: "M6 5l6 6 6-6 1 1-6 6 6 6-1 1-6-6-6 6-1-1 6-6-6-6z",
  search: "M10 3a7 7 0 105 12l5 5 1.400-1.400-5-5A7 7 0 0010 3zM10 5a5 5 0 110 10 5 5 0 010-10z",
  settings: "M4 7h9v2H4zM17 7h3v2h-3zM14 5h2v6h-2zM4 15h3v2H4zM11 15h9v2h-9zM8 13h2v6H8z",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg viewBox="0 0 24 24" width="18" aria-hidden="true" fill="currentColor">
      <path d={PATHS[name]} />
    </svg>
  );
}
