/** The sheet of keys. */
import { useEffect, useRef } from "preact/hooks";

const KEYS = {
  "Arrows, Home, End, Page Up, Page Down": "Move from filter to filter",
  Enter: "Open the filter",
  Esc: "All filters again; no marks",
  "n, p": "The next filter, the previous one",
  "Space, Ctrl click": "Mark the filter, to compare it with others",
  "+, −, Ctrl wheel": "Larger tiles, smaller ones",
  c: "Compare steps or runs",
  x: "While comparing: swap A and B",
  "[ and ]": "The step before, the step after",
  "/": "Search layers",
  "?": "This sheet",
};

export function Help({ onClose }: { onClose: () => void }) {
  const sheet = useRef<HTMLDialogElement>(null);
  useEffect(() => sheet.current?.showModal(), []);
  return (
    <dialog ref={sheet} onClose={onClose} aria-label="Keys">
      <h2>Keys</h2>
      <table>
        <tbody>
          {Object.entries(KEYS).map(([key, what]) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
