import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import type { IStudySummary } from '../../server/contract';
import { allows, type StudyCommand } from '../model/derive';
import { commandWord, refusalWord } from '../text/words';

interface IProps {
  study: IStudySummary;
  /** Only the buttons that can be used, without words: for narrow places. */
  compact?: boolean;
}

const ICONS: Record<StudyCommand, string> = {
  pause: 'M6 5h4v14H6zm8 0h4v14h-4z',
  resume: 'M8 5v14l11-7z',
  cancel: 'M6 6h12v12H6z'
};

const COMMANDS: Record<StudyCommand, string> = {
  pause: CommandIDs.pauseStudy,
  resume: CommandIDs.resumeStudy,
  cancel: CommandIDs.cancelStudy
};

/** Pause or resume, and cancel. */
export function StudyActions({ study, compact }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  // Pausing and resuming exclude each other: one button in one place.
  const first: StudyCommand = allows(study, 'resume') ? 'resume' : 'pause';
  const shown = ([first, 'cancel'] as const).filter(
    command => !compact || allows(study, command)
  );
  return (
    <span
      className="eolab-Actions"
      role="group"
      aria-label={trans.__('Act on %1', study.name)}
    >
      {shown.map(command => {
        const word = commandWord(command, trans);
        const allowed = allows(study, command);
        return (
          <button
            key={command}
            className={compact ? 'eolab-IconButton' : 'eolab-Button'}
            // Not `disabled`: a disabled button cannot be reached to learn why.
            aria-disabled={!allowed}
            aria-label={compact ? `${word} ${study.name}` : undefined}
            title={allowed ? word : refusalWord(study.state, trans)}
            onClick={() => {
              if (allowed) {
                void commands.execute(COMMANDS[command], { name: study.name });
              }
            }}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={ICONS[command]} />
            </svg>
            {compact ? null : <span>{word}</span>}
          </button>
        );
      })}
    </span>
  );
}
