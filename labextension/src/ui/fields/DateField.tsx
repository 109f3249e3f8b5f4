import { useState, type JSX } from 'react';

interface IProps {
  label: string;
  day: string;
  min: string | undefined;
  max: string | undefined;
  onDay: (day: string) => void;
}

/** One labelled day, told once its year is whole. */
export function DateField({
  label,
  day,
  min,
  max,
  onDay
}: IProps): JSX.Element {
  // While a year is typed, browsers tell of years 2, 20 and 202: nobody means those.
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label>
      <span>{label}</span>
      <input
        type="date"
        value={typed ?? day}
        min={min}
        max={max}
        onChange={({ target }) => {
          const whole = target.value === '' || target.value >= '1000';
          setTyped(whole ? null : target.value);
          if (whole) {
            onDay(target.value);
          }
        }}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}
