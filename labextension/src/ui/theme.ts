import { useEffect, useState } from 'react';

/** The theme's colours as a canvas needs them: a canvas knows no CSS variables. */
export interface IPalette {
  text: string;
  quiet: string;
  line: string;
  grid: string;
  accent: string;
  good: string;
  warn: string;
  bad: string;
  background: string;
  /** As a canvas takes it. */
  font: string;
}

/** Read the colours that hold at a node. */
export function readPalette(node: Element): IPalette {
  const style = getComputedStyle(node);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: colour('--jp-ui-font-color1'),
    quiet: colour('--jp-ui-font-color2'),
    line: colour('--jp-ui-font-color3'),
    grid: colour('--jp-border-color2'),
    accent: colour('--jp-brand-color1'),
    good: colour('--jp-success-color1'),
    warn: colour('--jp-warn-color1'),
    bad: colour('--jp-error-color1'),
    background: colour('--jp-layout-color1'),
    font: `11px ${style.fontFamily || 'sans-serif'}`
  };
}

/** A number that grows when the theme changes, to draw canvases again. */
export function useThemeCount(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    // Lab writes the theme's name on the body after its style sheet has loaded.
    const observer = new MutationObserver(() => setCount(last => last + 1));
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light']
    });
    return () => observer.disconnect();
  }, []);
  return count;
}
