import type { JSX } from 'react';

interface IProps {
  label: string;
  value: string;
  placeholder: string;
  onChange: (value: string) => void;
}

/** A line of text that is a name, an address or a number: nothing to spell or to remember. */
export function TextField(props: IProps): JSX.Element {
  return (
    <label>
      <span>{props.label}</span>
      <input
        value={props.value}
        placeholder={props.placeholder}
        spellCheck={false}
        autoComplete="off"
        onChange={event => props.onChange(event.target.value)}
      />
    </label>
  );
}
