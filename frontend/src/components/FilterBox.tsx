/** A box that filters a list by a regular expression. */

import { matcher, pick, picks } from "../state";
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
        title={invalid ? "Not a regular expression: everything is listed" : label}
        value={value}
        onInput={(event) => pick({ [name]: event.currentTarget.value })}
        data-testid={name}
      />
    </label>
  );
}
