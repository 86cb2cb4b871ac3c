/** A box that filters a list by a regular expression. */

import { matcher, pick, picks, trust } from "../state";
import { Icon } from "./icons";

interface FilterBoxProps {
  readonly label: string;
  readonly name: "runFilter" | "layerFilter";
}

export function FilterBox({ label, name }: FilterBoxProps) {
  const value = picks()[name];
  const invalid = matcher(value) === null;
  return (
    <label class="filter line">
      <Icon name="search" />
      <input
        type="search"
        placeholder={label}
        aria-label={label}
        aria-invalid={invalid}
        title={
          invalid
            ? "Not a regular expression, or one that a link may not bring, until it is typed: everything is listed"
            : label
        }
        value={value}
        onInput={({ currentTarget: { value } }) => {
          trust(value);
          pick({ [name]: value });
        }}
        data-testid={name}
      />
    </label>
  );
}
