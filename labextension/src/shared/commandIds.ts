/** The commands of this extension; each describes its arguments where it is added. */
export namespace CommandIDs {
  /** Show the EO panel in the sidebar. */
  export const openPanel = 'eolab:open-panel';

  /** Fetch everything that is shown again. */
  export const refresh = 'eolab:refresh';

  /** Open a study in the main area. */
  export const openStudy = 'eolab:open-study';

  /** Hand out no more trials; running ones end. */
  export const pauseStudy = 'eolab:pause-study';

  /** Go on with a paused or interrupted study. */
  export const resumeStudy = 'eolab:resume-study';

  /** End a study for good. */
  export const cancelStudy = 'eolab:cancel-study';
}
