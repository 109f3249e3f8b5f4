"""The process that describes rasters for a panel: reads its job, ingests, tells how far it is.

It needs no terminal and no parent; see `eolab.records.ingests` for what lies in its folder.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from eolab import progress
from eolab.errors import EolabError
from eolab.records import ingests, jobs

TELL = 0.3  # seconds between two looks of others at how far it is


class Cancelled(Exception):
    """Somebody asked it to end."""


class _Bar:
    """Progress that goes into `state.json`; between two files is the place to end."""

    def __init__(self, folder: Path, step: str, stop: threading.Event) -> None:
        self.folder, self.step, self.stop = folder, step, stop
        self.reported = 0.0

    def update(self, done: int, total: int, text: str) -> None:
        del text
        if self.stop.is_set() or (self.folder / "cancel").exists():
            raise Cancelled
        if time.monotonic() - self.reported >= TELL or done >= total:
            self.reported = time.monotonic()
            state = {"state": "running", "step": self.step, "done": done, "total": total}
            jobs.write_state(self.folder, state)

    def close(self) -> None:
        """Nothing is open."""


def main(folder: Path) -> int:
    """Do what a folder asks for; 0 when it is done."""
    if jobs.hold(folder) is None:  # held as long as this process lives
        return 1  # it runs already
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    progress.set_display(bar=lambda step: _Bar(folder, step, stop))
    jobs.write_state(folder, {"state": "running"})
    try:
        job = ingests.read_job(folder)
        # By it everything finds the workspace that the server shows.
        os.environ["EOLAB_WORKSPACE"] = job.workspace
        from eolab.catalog.ingestion.collection import ingest, words_of

        made = ingest(job.paths, to=job.catalog, **words_of(job.words))
    except Cancelled:
        jobs.write_state(folder, {"state": "cancelled"})
        return 1
    except EolabError as error:
        failure = {"state": "failed", "message": error.message, "hint": error.hint}
        jobs.write_state(folder, failure)
        return 1
    except Exception as error:  # told to who looks; the traceback is in the log
        message = f"{type(error).__name__}: {error}"
        jobs.write_state(folder, {"state": "failed", "message": message, "hint": ""})
        raise
    skipped = [{"href": s.href, "message": s.message} for s in made.skipped[: ingests.SHOWN]]
    jobs.write_state(
        folder,
        {
            "state": "done",
            "items": len(made.items),
            "holds": made.total,
            "skipped": skipped,
            "skipped_count": len(made.skipped),
            "notes": list(made.notes[: ingests.SHOWN]),
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
