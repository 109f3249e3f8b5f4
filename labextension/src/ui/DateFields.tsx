import { useState, type JSX } from 'react';

import { useTrans } from '../context/context';

/** ISO days, both inclusive; an empty one leaves that end open. */
export interface IDates {
  start: string;
  end: string;
}

interface IProps extends IDates {
  /** The days that there is something of. */
  min?: string;
  max?: string;
  onChange: (part: Partial<IDates>) => void;
}

/** From when until when: two labelled fields, which stand in the form that holds them. */
export function DateFields(props: IProps): JSX.Element {
  const { start, end, min, max, onChange } = props;
  const trans = useTrans();
  return (
    <>
      <DateField
        {...{ min, max }}
        label={trans.__('From')}
        day={start}
        onDay={day => onChange({ start: day })}
      />
      <DateField
        {...{ min, max }}
        label={trans.__('To')}
        day={end}
        onDay={day => onChange({ end: day })}
      />
    </>
  );
}

interface IFieldProps {
  label: string;
  day: string;
  min: string | undefined;
  max: string | undefined;
  onDay: (day: string) => void;
}

function DateField({ label, day, min, max, onDay }: IFieldProps): JSX.Element {
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
