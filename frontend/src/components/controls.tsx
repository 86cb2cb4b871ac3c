/** Buttons and lists of choices, as the whole tab has them. */
import type { JSX } from "preact";

/** A button that submits nothing. */
export const Button = (props: JSX.IntrinsicElements["button"]) => <button type="button" {...props} />;

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: string;
  /** Value and text of each option, in their order. */
  readonly options: readonly (readonly [value: T, text: string])[];
  readonly onPick: (value: T) => void;
  readonly title?: string;
  readonly id?: string;
}

/** A list of which one is chosen; `id` names it for tests. */
export function Select<T extends string>({ label, value, options, onPick, title, id }: SelectProps<T>) {
  return (
    <select
      aria-label={label}
      title={title}
      value={value}
      onChange={(event) => onPick(event.currentTarget.value as T)}
      data-testid={id}
    >
      {options.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  );
}
