"""The process of one download: reads its job, brings the files, tells how far it is.

It needs no terminal and no parent; see `eolab.records.downloads` for what lies in its folder.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import EolabError
from eolab.records import downloads as transfers
from eolab.records import jobs

if TYPE_CHECKING:
    from eolab.catalog.downloads.files import File
    from eolab.settings.config import Config

TELL = 0.5  # seconds between two looks of others at what has come
PATIENCE = 2.0  # seconds that a read may take to hear of its end


class _Teller:
    """Writes `state.json`, at most twice a second unless something ended."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        self.files: list[dict[str, object]] = []
        self._reported = 0.0
        self._ended = -1

    def __call__(self, files: Sequence[File]) -> None:
        ended = sum(file.state in ("done", "there", "failed") for file in files)
        if ended == self._ended and time.monotonic() - self._reported < TELL:
            return
        self._reported, self._ended = time.monotonic(), ended
        self.files = [{**asdict(file), "path": self._shown(file.path)} for file in files]
        self.say("running")

    def say(self, state: str, message: str = "") -> None:
        document = {"state": state, "message": message, "files": self.files}
        jobs.write_state(self.folder, {**document, "folder": str(self.home)})

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.home)) if self.home in path.parents else str(path)


def main(folder: Path) -> int:
    """Bring what a folder asks for; 0 when all came."""
    if jobs.hold(folder) is None:  # held as long as this process lives
        return 1  # it runs already
    from eolab.catalog.downloads.transfer import Stopped
    from eolab.settings import config as configuration

    job = transfers.read_job(folder)
    config = configuration.open_path(job.workspace)
    os.environ["EOLAB_WORKSPACE"] = str(job.workspace)  # its logins and limits count
    teller = _Teller(folder, config.downloads)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_await_cancel, args=(teller, stop), daemon=True).start()
    try:
        teller.say("running")
        failed = _bring(config, job, teller, stop)
    except Stopped:
        teller.say("cancelled")
        return 1
    except EolabError as error:
        teller.say("failed", f"{error.message} {error.hint}".strip())
        return 1
    except Exception as error:  # told to who looks; the traceback is in the log
        teller.say("failed", f"{type(error).__name__}: {error}")
        raise
    teller.say("failed" if failed else "done")
    return 1 if failed else 0


def _bring(
    config: Config, job: transfers.DownloadJob, teller: _Teller, stop: threading.Event
) -> int:
    """How many files failed."""
    from eolab.catalog.downloads.files import download
    from eolab.catalog.sources.open import open_source

    source = open_source(config, job.catalog)
    wanted: dict[str, list[str]] = {}
    for collection, item in job.items:
        wanted.setdefault(collection, []).append(item)
    items = [
        item
        for collection, ids in wanted.items()
        for item in source.search([collection] if collection else None, ids=ids)
    ]
    done = download(items, config.downloads, assets=job.assets or None, watch=teller, stop=stop)
    return len(done.failed)


def _await_cancel(teller: _Teller, stop: threading.Event) -> None:
    """End when asked to, also where a server keeps a read waiting."""
    while not stop.wait(0.2):
        if (teller.folder / "cancel").exists():
            stop.set()
    time.sleep(PATIENCE)
    teller.say("cancelled")
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
