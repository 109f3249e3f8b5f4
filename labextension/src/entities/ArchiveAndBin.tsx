import type { JSX } from 'react';

import { CommandIDs } from '../context/commandIds';
import { useEolab, useNow, useResource } from '../context/context';
import { Disclosure } from '../ui/Disclosure';
import { formatAge } from '../ui/format';
import { IEntitiesModel } from './entitiesToken';
import { kindWord } from './words';

interface IProps {
  kinds: readonly string[];
}

/** What was archived and what was deleted, each with the way back; nothing where there is none. */
export function ArchiveAndBin({ kinds }: IProps): JSX.Element | null {
  const eolab = useEolab();
  const { commands, trans } = eolab;
  const { data } = useResource(eolab.model(IEntitiesModel));
  const now = useNow(true, 60_000);
  const archived = (data?.shown ?? []).filter(
    each => each.archived && kinds.includes(each.kind)
  );
  const bin = (data?.bin ?? []).filter(each => kinds.includes(each.kind));
  const row = (
    key: string,
    kind: string,
    id: string,
    title: string,
    detail: string,
    entry: string
  ): JSX.Element => (
    <li key={key} className="eolab-ArchiveAndBin-row">
      <span className="eolab-ArchiveAndBin-text">
        <span className="eolab-Name" title={id}>
          {title || id}
        </span>
        <span className="eolab-mod-quiet">{detail}</span>
      </span>
      <button
        className="eolab-Button"
        aria-label={trans.__('Restore %1', title || id)}
        onClick={() =>
          void commands.execute(CommandIDs.restoreEntity, { kind, id, entry })
        }
      >
        {trans.__('Restore')}
      </button>
    </li>
  );
  return (
    <>
      {archived.length ? (
        <Disclosure
          level={2}
          label={trans.__('Archived (%1)', archived.length)}
        >
          {() => (
            <ul className="eolab-List">
              {archived.map(each =>
                row(
                  `${each.kind} ${each.id}`,
                  each.kind,
                  each.id,
                  each.title,
                  kindWord(each.kind, trans),
                  ''
                )
              )}
            </ul>
          )}
        </Disclosure>
      ) : null}
      {bin.length ? (
        <Disclosure level={2} label={trans.__('Bin (%1)', bin.length)}>
          {() => (
            <ul className="eolab-List">
              {bin.map(each =>
                row(
                  each.entry,
                  each.kind,
                  each.id,
                  each.title,
                  `${kindWord(each.kind, trans)} · ${formatAge(each.deleted, now, trans)}`,
                  each.entry
                )
              )}
            </ul>
          )}
        </Disclosure>
      ) : null}
    </>
  );
}
