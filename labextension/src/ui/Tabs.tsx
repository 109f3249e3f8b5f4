import { useId, useRef, type JSX, type KeyboardEvent } from 'react';

interface IProps<T extends string> {
  /** What is chosen between. */
  label: string;
  tabs: readonly (readonly [id: T, label: string])[];
  active: T;
  onChange: (tab: T) => void;
  /** Draws the active one. */
  children: (tab: T) => JSX.Element;
}

/** One of several pictures at a time; the arrow keys go between them. */
export function Tabs<T extends string>(props: IProps<T>): JSX.Element {
  const { label, tabs, active, onChange, children } = props;
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(([tab]) => tab === active);
    const goals: Record<string, number> = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1
    };
    const goal = goals[event.key];
    const tab = goal === undefined ? undefined : tabs[goal];
    if (goal !== undefined && tab) {
      onChange(tab[0]);
      const button = list.current?.children[goal];
      if (button instanceof HTMLElement) {
        button.focus();
      }
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    <div className="eolab-Tabs">
      {/* The buttons inside have the focus, and their keys come up to here. */}
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus */}
      <div
        className="eolab-Tabs-list"
        role="tablist"
        aria-label={label}
        ref={list}
        onKeyDown={onKeyDown}
      >
        {tabs.map(([tab, word]) => (
          <button
            key={tab}
            id={`${id}-${tab}`}
            role="tab"
            aria-selected={tab === active}
            aria-controls={`${id}-panel`}
            tabIndex={tab === active ? 0 : -1}
            onClick={() => onChange(tab)}
          >
            {word}
          </button>
        ))}
      </div>
      <div
        className="eolab-Tabs-panel"
        id={`${id}-panel`}
        role="tabpanel"
        aria-labelledby={`${id}-${active}`}
      >
        {children(active)}
      </div>
    </div>
  );
}
