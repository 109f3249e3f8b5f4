"""What changed in a workspace since the last look, by file times and sizes only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.settings.config import is_name

if TYPE_CHECKING:
    from eolab.settings.config import Config

Mark = tuple[int, int, int]
# A study whose journal rested this many looks is looked at only every so many.
REST = 20
DEPTH = 4
STUDY_FILES = ("study.json", "events.jsonl", "process.json", "notes.md")


class Watcher:
    """Compares the workspace with how it was at the last `scan`."""

    def __init__(self) -> None:
        self._seen: dict[str, object] | None = None
        self._root: Path | None = None
        self._rested: dict[str, int] = {}
        self._look = 0

    def scan(self, config: Config) -> list[str]:
        """The topics that changed since the last call; the first call only looks."""
        self._look += 1
        now = dict(self._marks(config))
        before, self._seen = self._seen, now
        if before is None:
            self._root = config.root
            return []
        if config.root != self._root:
            self._root = config.root
            return ["catalog", "saved", "downloads", "features", "studies", "models", "entities"]
        changed = {t for t in now.keys() | before.keys() if now.get(t) != before.get(t)}
        if any(topic.startswith("studies/") for topic in changed):
            changed.add("studies")
        return sorted(changed)

    def _marks(self, config: Config) -> Iterator[tuple[str, object]]:
        places = [config.file, config.sample / "catalog.json", config.sample / "sample.json"]
        places += [Path(c.url) for c in config.catalogs.values() if "://" not in c.url]
        yield "catalog", _marks(path for path in places if path is not None)
        yield "saved", _marks([config.root / "saved.json"])
        yield "downloads", _marks([config.transfers, *config.transfers.glob("*/state.json")])
        yield "entities", _marks([config.root / "names.json", config.root / "bin"])
        yield "features", _tree(config.features)
        # The registry renews this file with each version and alias; MLflow's own database also
        # changes with every metric of a running study.
        yield "models", _marks([config.models / "changed"])
        yield from self._studies(config.runs)

    def _studies(self, runs: Path) -> Iterator[tuple[str, object]]:
        """One mark a study; thousands of finished ones cost a look now and then only."""
        from eolab.studies.journal.files import is_alive, is_waiting

        try:
            names = sorted(e.name for e in os.scandir(runs) if is_name(e.name) and e.is_dir())
        except OSError:
            names = []
        for number, name in enumerate(names):
            topic = f"studies/{name}"
            last = (self._seen or {}).get(topic)
            resting = self._rested.get(name, 0) >= REST
            if resting and last is not None and (self._look + number) % REST:
                yield topic, last
                continue
            marks = _marks(runs / name / file for file in STUDY_FILES)
            if marks[0] is None:
                continue
            # A killed process writes nothing: that its lock is free is the news.
            alive = is_alive(runs / name)
            mark = (*marks, alive, alive and is_waiting(runs / name))  # so is that it waits
            rests = mark == last and not alive
            self._rested[name] = self._rested.get(name, 0) + 1 if rests else 0
            yield topic, mark


def _mark(path: Path) -> Mark | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _marks(paths: Iterable[Path]) -> tuple[Mark | None, ...]:
    return tuple(_mark(path) for path in paths)


def _tree(folder: Path) -> tuple[tuple[str, Mark | None], ...]:
    """Marks of the folders below ``folder`` (a new file changes its folder) and of its own files.

    A Delta table changes in its `_delta_log`, below which and beside which nothing needs a look.
    """
    marks: list[tuple[str, Mark | None]] = []
    queue = [(folder, 0)]
    while queue:
        here, depth = queue.pop()
        marks.append((str(here), _mark(here)))
        log = here / "_delta_log"
        if log.is_dir():
            marks.append((str(log), _mark(log)))
            continue
        try:
            entries = list(os.scandir(here))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth < DEPTH:
                    queue.append((Path(entry.path), depth + 1))
            # A refused insert leaves its mark in this file only.
            elif depth == 0 or entry.name == "validation.jsonl":
                marks.append((entry.path, _mark(Path(entry.path))))
    return tuple(sorted(marks))
