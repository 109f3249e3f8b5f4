import type { JSX } from 'react';

/** What a mark in a picture stands for. */
export interface IMark {
  shape: 'line' | 'dash' | 'dot' | 'bar' | 'area' | 'edge' | 'notch';
  /** A colour of the palette. */
  colour: 'accent' | 'good' | 'warn' | 'bad' | 'line' | 'quiet' | 'text';
  word: string;
}

interface IProps {
  marks: readonly IMark[];
}

/** What the marks of a picture stand for. */
export function Legend({ marks }: IProps): JSX.Element {
  return (
    <ul className="eolab-Legend">
      {marks.map(({ shape, colour, word }) => (
        <li key={word}>
          <span
            className="eolab-Legend-mark"
            data-shape={shape}
            data-colour={colour}
            aria-hidden="true"
          />
          {word}
        </li>
      ))}
    </ul>
  );
}
