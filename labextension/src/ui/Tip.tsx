import type { JSX } from 'react';

/** What stands beside the pointer, in CSS pixels from the picture's top left corner. */
export interface ITip {
  x: number;
  y: number;
  title: string;
  /** Names and what they hold. */
  lines: readonly (readonly [name: string, value: string])[];
  /** A last word, for example what a click does. */
  foot?: string;
}

interface IProps {
  tip: ITip | null;
  /** The picture's size: the tip stands on the side that has more room. */
  width: number;
  height: number;
}

/** A tip in a picture. Everything it says also stands in the table, where the keyboard reaches it. */
export function Tip({ tip, width, height }: IProps): JSX.Element | null {
  if (!tip) {
    return null;
  }
  const { x, y, title, lines, foot } = tip;
  return (
    <div
      className="eolab-Tip"
      aria-hidden="true"
      style={{
        ...(x > width / 2 ? { right: width - x + 12 } : { left: x + 12 }),
        ...(y > height / 2 ? { bottom: height - y + 8 } : { top: y + 8 })
      }}
    >
      <b>{title}</b>
      <dl>
        {lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {foot ? <span>{foot}</span> : null}
    </div>
  );
}
