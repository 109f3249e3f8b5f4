import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import { useState, type JSX } from 'react';
import { expect, it, vi } from 'vitest';

import { EolabContext } from '../../src/context/context';
import type { IEolab } from '../../src/context/tokens';
import { DateFields, type IDates } from '../../src/ui/fields/DateFields';

const told = vi.fn();

function Form(): JSX.Element {
  const [dates, setDates] = useState<IDates>({ start: '2021-05-01', end: '' });
  return (
    <DateFields
      {...dates}
      onChange={part => {
        told(part);
        setDates({ ...dates, ...part });
      }}
    />
  );
}

it('tells of whole years only, and keeps what is typed meanwhile', () => {
  const trans = nullTranslator.load('eolab');
  render(
    <EolabContext.Provider value={{ trans } as IEolab}>
      <Form />
    </EolabContext.Provider>
  );
  const to = screen.getByLabelText<HTMLInputElement>('To');
  const type = (value: string): void =>
    void fireEvent.change(to, { target: { value } });
  type('0002-05-01');
  type('0020-05-01');
  expect(told).not.toHaveBeenCalled();
  expect(to.value).toBe('0020-05-01');
  type('2022-05-01');
  expect(told.mock.calls).toEqual([[{ end: '2022-05-01' }]]);
  type('');
  expect(told).toHaveBeenLastCalledWith({ end: '' });
  expect(screen.getByLabelText<HTMLInputElement>('From').value).toBe(
    '2021-05-01'
  );
});
