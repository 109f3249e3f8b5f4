import { useEffect, type JSX } from 'react';

interface IProps {
  children: JSX.Element;
  onFallback: (shown: boolean) => void;
}

/** Shows the saved picture as long as it is mounted. */
export function Fallback({ children, onFallback }: IProps): JSX.Element {
  useEffect(() => {
    onFallback(true);
    return () => onFallback(false);
  }, [onFallback]);
  return children;
}
