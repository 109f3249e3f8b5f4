import { useId, useState, type JSX, type ReactNode } from 'react';

interface IProps {
  /** What stands in the row itself; part of the button's name. */
  label: ReactNode;
  /** A second line below the label, inside the button. */
  detail?: ReactNode;
  /** Controls at the end of the row, outside the button. */
  actions?: ReactNode;
  /** Drawn only while open. */
  children: () => ReactNode;
  /** The full text of a label that may be cut. */
  title?: string;
  open?: boolean;
  level?: 1 | 2 | 3;
}

/** A row that opens what is inside it. */
export function Disclosure(props: IProps): JSX.Element {
  const { label, detail, actions, children, title, level = 1 } = props;
  const [open, setOpen] = useState(props.open ?? false);
  const id = useId();
  return (
    <div className="eolab-Disclosure" data-level={level}>
      <div className="eolab-Disclosure-row">
        <button
          type="button"
          className="eolab-Disclosure-button"
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          title={title}
          onClick={() => setOpen(!open)}
        >
          <svg
            className="eolab-Disclosure-caret"
            viewBox="0 0 10 10"
            aria-hidden="true"
          >
            <path d="M3 1.5 7 5 3 8.5z" />
          </svg>
          <span className="eolab-Disclosure-text">
            <span className="eolab-Disclosure-label">{label}</span>
            {detail ? (
              <span className="eolab-Disclosure-detail">{detail}</span>
            ) : null}
          </span>
        </button>
        {actions ? (
          <span className="eolab-Disclosure-actions">{actions}</span>
        ) : null}
      </div>
      {open ? (
        <div className="eolab-Disclosure-body" id={id}>
          {children()}
        </div>
      ) : null}
    </div>
  );
}
