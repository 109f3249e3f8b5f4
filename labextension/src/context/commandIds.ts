/** The commands of this extension; each describes its arguments where it is added. */
export namespace CommandIDs {
  /** Show the EO panel in the sidebar. */
  export const openPanel = 'eolab:open-panel';

  /** Fetch everything that is shown again. */
  export const refresh = 'eolab:refresh';

  /** Open a study in the main area. */
  export const openStudy = 'eolab:open-study';

  /** Compare studies in the main area. */
  export const compareStudies = 'eolab:compare-studies';

  /** Hand out no more trials; running ones end. */
  export const pauseStudy = 'eolab:pause-study';

  /** Go on with a paused or interrupted study. */
  export const resumeStudy = 'eolab:resume-study';

  /** End a study for good. */
  export const cancelStudy = 'eolab:cancel-study';

  /** Change how many trials and workers a study has. */
  export const changeStudy = 'eolab:change-study';

  /** Stop one trial of a study. */
  export const stopTrial = 'eolab:stop-trial';

  /** Run a failed or stopped trial once more. */
  export const retryTrial = 'eolab:retry-trial';

  /** Show what the trials of a study wrote for TensorBoard. */
  export const openTensorBoard = 'eolab:open-tensorboard';

  /** Open a feature group in the main area. */
  export const openFeatureGroup = 'eolab:open-feature-group';

  /** Open a feature view in the main area. */
  export const openFeatureView = 'eolab:open-feature-view';

  /** Make a feature view by ticking features. */
  export const makeFeatureView = 'eolab:make-feature-view';

  /** Put code that works on a feature group or view into the notebook. */
  export const insertFeatureCode = 'eolab:insert-feature-code';

  /** Put code that works on a study into the notebook. */
  export const insertCode = 'eolab:insert-study-code';

  /** Put any view's code into the notebook. */
  export const insertCell = 'eolab:insert-cell';

  /** Give a study, group, view, training dataset or model a title. */
  export const renameEntity = 'eolab:rename-thing';

  /** Let lists leave it out. */
  export const archiveEntity = 'eolab:archive-thing';

  /** Bring back what was deleted or archived. */
  export const restoreEntity = 'eolab:restore-thing';

  /** Move it to the bin, after what hangs on it has been shown. */
  export const deleteEntity = 'eolab:delete-thing';

  /** Search catalogues for scenes in the main area. */
  export const searchScenes = 'eolab:search-scenes';

  /** Add own rasters as a collection. */
  export const addRasters = 'eolab:add-rasters';
}
