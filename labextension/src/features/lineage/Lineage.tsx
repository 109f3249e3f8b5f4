import { useState, type JSX } from 'react';

import { useEolab, useResource } from '../../context/context';
import { opener, type IThing } from '../../context/openThing';
import { Pending } from '../../ui/Pending';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { useFeatures } from '../model/featuresToken';
import { LineageGraph } from './LineageGraph';

interface IProps {
  kind: string;
  id: string;
}

const NOWHERE: readonly IThing[] = [];

/** What something was made from and what of it; a click on a node goes there. */
export function Lineage({ kind, id }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const features = useFeatures();
  const [way, setWay] = useState(NOWHERE);
  const here = way[way.length - 1] ?? { kind, id };
  const resource = features.lineage(here.kind, here.id);
  const { data, error } = useResource(resource);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  const open = opener(here, commands, trans);
  return (
    <div className="eolab-LineageView">
      <Stale error={error} />
      <div className="eolab-LineageView-bar">
        <button
          className="eolab-Button"
          aria-disabled={!way.length}
          onClick={() => setWay(way.slice(0, -1))}
        >
          {trans.__('Back')}
        </button>
        {open && way.length ? (
          <button className="eolab-Button" onClick={open.act}>
            {open.word}
          </button>
        ) : null}
        <span role="status">
          {trans.__('Lineage of %1 %2', here.kind, here.id)}
        </span>
      </div>
      {data.edges.length ? (
        <LineageGraph
          graph={data}
          label={trans.__('Lineage of %1 %2', here.kind, here.id)}
          onGo={thing => setWay([...way, thing])}
        />
      ) : (
        <Notice
          title={trans.__('Nothing is known of where this comes from.')}
          text={trans.__(
            'Rows of cube.eo.zonal and its kin name their scenes; insert(…, sources=[…]) names others.'
          )}
        />
      )}
      {data.left_out ? (
        <p className="eolab-None">
          {trans.__('%1 further away are not shown.', data.left_out)}
        </p>
      ) : null}
    </div>
  );
}
