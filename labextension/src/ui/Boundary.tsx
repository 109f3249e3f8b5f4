import type { TranslationBundle } from '@jupyterlab/translation';
import { Component, type ErrorInfo, type ReactNode } from 'react';

interface IProps {
  trans: TranslationBundle;
  children: ReactNode;
}

interface IState {
  error: Error | null;
}

/** Keeps a fault of one view from emptying it silently. Only a class can catch in React 18. */
export class Boundary extends Component<IProps, IState> {
  static getDerivedStateFromError(error: Error): IState {
    return { error };
  }

  override state: IState = { error: null };

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error('eolab: a view could not be drawn', error, info);
  }

  override render(): ReactNode {
    const { trans, children } = this.props;
    const { error } = this.state;
    if (!error) {
      return children;
    }
    return (
      <div className="eolab-Notice" role="alert">
        <p className="eolab-Notice-title">
          {trans.__('This view could not be drawn.')}
        </p>
        <p className="eolab-Notice-text">{error.message}</p>
        <button
          className="eolab-Button"
          onClick={() => this.setState({ error: null })}
        >
          {trans.__('Draw again')}
        </button>
      </div>
    );
  }
}
