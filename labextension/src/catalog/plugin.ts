import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';
import { eoIcon } from '../ui/icons';
import type { IBaseMap } from './model/baseMap';
import { ICatalogModel } from './model/catalogToken';
import { IngestTabs } from './ingest/ingestTabs';
import { SearchTabs } from './search/searchTabs';

/** Catalogues searched in the main area. */
export const catalogPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:catalog',
  description: 'Searches catalogues for scenes in the main area.',
  autoStart: true,
  requires: [IEolab],
  optional: [
    ILabShell,
    ILayoutRestorer,
    ICommandPalette,
    ISettingRegistry,
    IFileBrowserFactory
  ],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
    browsers: IFileBrowserFactory | null
  ): void => {
    const { trans } = eolab;
    addIngest(app, eolab, labShell ? 'main' : 'right', browsers);
    const tabs = new SearchTabs(app, eolab, labShell ? 'main' : 'right');
    const text = (
      description: string
    ): { type: string; description: string } => ({
      type: 'string',
      description
    });
    app.commands.addCommand(CommandIDs.searchScenes, {
      label: args =>
        args['isLauncher']
          ? trans.__('Search Scenes')
          : trans.__('Search Catalogues for Scenes'),
      caption: trans.__('Find scenes on a map, look at them, load them'),
      icon: eoIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            catalog: text(trans.__('The name of the catalogue')),
            collection: text(trans.__('The id of the collection')),
            item: text(
              trans.__('What is opened of the answer: collection/item')
            ),
            query: {
              type: 'object',
              description: trans.__('A whole query, as a tab keeps it')
            },
            earth: text(trans.__('How the Earth is drawn: an EPSG code')),
            base: text(trans.__('The name of the base map'))
          }
        }
      },
      execute: args => tabs.open(args)
    });
    void readBaseMaps(eolab, registry);
    if (restorer) {
      tabs.restore(restorer);
    }
    palette?.addItem({
      command: CommandIDs.searchScenes,
      category: trans.__('Earth Observation')
    });
    palette?.addItem({
      command: CommandIDs.addRasters,
      category: trans.__('Earth Observation')
    });
  }
};

/** The tab that adds own rasters: by its command, and from the file browser. */
function addIngest(
  app: JupyterFrontEnd,
  eolab: IEolab,
  area: 'main' | 'right',
  browsers: IFileBrowserFactory | null
): void {
  const { trans } = eolab;
  const tabs = new IngestTabs(app, eolab, area);
  /** What is chosen in the file browser, as it shows it. */
  const chosen = (): string[] =>
    [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])].map(
      ({ path, type }) => {
        // A drive's name stands before its paths: only this machine's own can be read.
        const local = path.replace(/^[^/]*:/, '');
        return type === 'directory' ? `${local}/` : local;
      }
    );
  app.commands.addCommand(CommandIDs.addRasters, {
    label: args =>
      args['isContextMenu']
        ? trans.__('Add to eolab’s Catalogues…')
        : trans.__('Add Rasters…'),
    caption: trans.__('Describe your own rasters as a collection'),
    icon: eoIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          paths: {
            type: 'array',
            items: { type: 'string' },
            description: trans.__('Folders or files')
          },
          isContextMenu: {
            type: 'boolean',
            description: trans.__('Take what is chosen in the file browser')
          }
        }
      }
    },
    execute: args => {
      const paths = args['isContextMenu'] ? chosen() : args['paths'];
      tabs.open(Array.isArray(paths) ? paths.map(String) : []);
    }
  });
  app.contextMenu.addItem({
    command: CommandIDs.addRasters,
    args: { isContextMenu: true },
    selector: '.jp-DirListing-item[data-isdir]',
    rank: 60
  });
}

/** Follow the settings; without them there are no base maps. */
async function readBaseMaps(
  eolab: IEolab,
  registry: ISettingRegistry | null
): Promise<void> {
  const settings = await registry?.load('eolab:catalog').catch(() => null);
  const read = (): void => {
    const maps = settings?.composite['baseMaps'];
    eolab.model(ICatalogModel).setBaseMaps(
      (Array.isArray(maps) ? (maps as unknown as Partial<IBaseMap>[]) : []).map(
        ({ name = '', kind = 'xyz', url = '', layer = '' }) => ({
          name,
          kind,
          url,
          layer
        })
      )
    );
  };
  settings?.changed.connect(read);
  read();
}
