import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import { DateField } from './DateField';

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
