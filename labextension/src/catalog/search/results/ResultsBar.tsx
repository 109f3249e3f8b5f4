import { useState, type JSX } from 'react';

import { CommandIDs } from '../../../context/commandIds';
import { useEolab } from '../../../context/context';
import { formatCount } from '../../../ui/format';
import { useCatalog } from '../../model/catalogToken';
import { keyOf } from '../../model/searchModel';
import { useSearch } from '../../model/useSearch';
import { featuresCode, loadCode, type IChoice } from './searchCode';

/** How many scenes there are, and what code can be had of them. */
export function ResultsBar(): JSX.Element {
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const [model, { query, found, selected, loading }] = useSearch();
  const [asking, setAsking] = useState(false);
  const items = found?.items ?? [];
  const chosen = selected.size
    ? items.filter(item => selected.has(keyOf(item)))
    : [];
  const first = chosen[0] ?? items[0];
  const write = async (
    make: typeof loadCode,
    then: (code: string) => void
  ): Promise<void> => {
    if (!first || asking) {
      return;
    }
    // A slow service tells of its bands when it likes; meanwhile the buttons wait.
    setAsking(true);
    const about = await catalog
      .describe(query.catalog, first)
      .finally(() => setAsking(false));
    const choice: IChoice = {
      ids: chosen.map(item => item.id),
      bands: about.bands,
      mask: about.mask
    };
    then(make({ ...query, collection: first.collection }, choice));
  };
  const insert = (kind: string) => (code: string) =>
    void commands.execute(CommandIDs.insertCell, {
      code,
      origin: `${kind}:${query.catalog}`
    });
  const copy = async (code: string): Promise<void> => {
    const { copyCode } = await import('../../../context/insertCode');
    copyCode(code, trans.__('The code is in the clipboard.'));
  };
  return (
    <div
      className="eolab-ResultsBar"
      role="toolbar"
      aria-label={trans.__('Code')}
    >
      <div className="eolab-ResultsBar-count">
        <span role="status">
          {loading && !found
            ? trans.__('Searching…')
            : found
              ? counted(items.length, found.matched)
              : ''}
          {chosen.length ? ` · ${trans.__('%1 selected', chosen.length)}` : ''}
        </span>
        {chosen.length ? (
          <button
            className="eolab-IconButton"
            aria-label={trans.__('Select none')}
            title={trans.__('Select none')}
            onClick={() => model.selectAll([])}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="m12 10.600 5-5 1.400 1.400-5 5 5 5-1.400 1.400-5-5-5 5-1.400-1.400 5-5-5-5L7 5.600z" />
            </svg>
          </button>
        ) : null}
      </div>
      <button
        className="eolab-Button eolab-mod-main"
        aria-disabled={!first || asking}
        onClick={() => void write(loadCode, insert('search'))}
      >
        {trans.__('Insert code')}
      </button>
      <button
        className="eolab-Button"
        aria-disabled={!first || asking}
        onClick={() => void write(loadCode, code => void copy(code))}
      >
        {trans.__('Copy')}
      </button>
      <button
        className="eolab-Button"
        aria-disabled={!first || asking}
        onClick={() => void write(featuresCode, insert('features'))}
      >
        {trans.__('Add to features')}
      </button>
    </div>
  );

  function counted(shown: number, matched: number | null): string {
    if (matched === null) {
      return trans.__('the newest %1 scenes', formatCount(shown));
    }
    return matched > shown
      ? trans.__(
          'the newest %1 of %2 scenes',
          formatCount(shown),
          formatCount(matched)
        )
      : trans._n('1 scene', '%2 scenes', shown, formatCount(shown));
  }
}
