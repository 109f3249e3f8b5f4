import type { JSX, ReactNode } from 'react';

interface IProps {
  title: string;
  /** What to do next. */
  text?: ReactNode;
  /** Code that does it. */
  code?: string;
  tone?: 'plain' | 'error';
  children?: ReactNode;
}

/** An empty state or an error: what is the case, and what to do next. */
export function Notice(props: IProps): JSX.Element {
  const { title, text, code, tone = 'plain', children } = props;
  return (
    <div
      className="eolab-Notice"
      data-tone={tone}
      role={tone === 'error' ? 'alert' : undefined}
    >
      <p className="eolab-Notice-title">{title}</p>
      {text ? <p className="eolab-Notice-text">{text}</p> : null}
      {code ? <pre className="eolab-Notice-code">{code}</pre> : null}
      {children ? <div className="eolab-Notice-actions">{children}</div> : null}
    </div>
  );
}
