import type { JSX } from 'react';

interface IProps {
  name: string;
  value: string;
  detail: string;
  wide?: boolean;
}

/** One figure with its name above and a word below. */
export function Figure({ name, value, detail, wide }: IProps): JSX.Element {
  return (
    <div className="eolab-Figure" data-wide={wide}>
      <div className="eolab-Figure-name">{name}</div>
      <div className="eolab-Figure-value">{value}</div>
      <div className="eolab-Figure-detail" title={detail}>
        {detail}
      </div>
    </div>
  );
}
