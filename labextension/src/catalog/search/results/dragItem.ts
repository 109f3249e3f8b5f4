import { MimeData } from '@lumino/coreutils';
import type { Drag } from '@lumino/dragdrop';
import type { PointerEvent } from 'react';

import type { IFoundItem } from '../../../server/contract';
import type { CatalogModel } from '../../model/catalogModel';
import { loadCode, type IChoice } from './searchCode';

/** Pixels that a pointer may tremble. */
const STEADY = 6;

/**
 * Let a scene be dragged: into the text of a cell, or between cells as a new one.
 *
 * The drag begins when the pointer has gone some way, so that clicks stay clicks.
 */
export function startDrag(
  event: PointerEvent,
  catalog: CatalogModel,
  item: IFoundItem
): void {
  if (event.button !== 0) {
    return;
  }
  const { clientX, clientY } = event;
  // Whether there is something to mask with is known when it is dropped: a drag lasts.
  const about = catalog.describe(catalog.search.state.query.catalog, item);
  const stop = (): void => {
    window.removeEventListener('pointermove', onMove, true);
    window.removeEventListener('pointerup', stop, true);
  };
  const onMove = (move: globalThis.PointerEvent): void => {
    const far = Math.hypot(move.clientX - clientX, move.clientY - clientY);
    if (far > STEADY) {
      stop();
      void begin(move.clientX, move.clientY, catalog, item, about);
    }
  };
  window.addEventListener('pointermove', onMove, true);
  window.addEventListener('pointerup', stop, true);
}

async function begin(
  clientX: number,
  clientY: number,
  catalog: CatalogModel,
  item: IFoundItem,
  about: ReturnType<CatalogModel['describe']>
): Promise<void> {
  const { query } = catalog.search.state;
  const mimeData = new MimeData();
  const write = (choice: Omit<IChoice, 'ids'>): void => {
    const code = loadCode(
      { ...query, collection: item.collection },
      { ...choice, ids: [item.id] }
    );
    mimeData.setData('text/plain', code);
    mimeData.setData('application/vnd.jupyter.cells', [
      { cell_type: 'code', source: code, metadata: {}, outputs: [] }
    ]);
  };
  write({ bands: [], mask: false });
  void about.then(({ mask }) => write({ bands: [], mask }));
  const { Drag: Dragging } = await import('@lumino/dragdrop');
  const image = document.createElement('div');
  image.className = 'eolab-DragImage';
  image.textContent = item.id;
  const drag: Drag = new Dragging({
    mimeData,
    dragImage: image,
    proposedAction: 'copy',
    supportedActions: 'copy-move'
  });
  await drag.start(clientX, clientY);
  drag.dispose();
}
