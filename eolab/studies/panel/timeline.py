"""Who ran what when: the spans of attempts on workers, from the journal. Standard library only."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

from eolab.studies.journal.files import EVENTS
from eolab.studies.panel.answers import SpanJson, StayJson, TimelineJson


class Timeline:
    """Follows a study's journal; each `refresh` reads only what is new.

    Args:
        run: The study's folder.
    """

    def __init__(self, run: Path) -> None:
        self.path = run / EVENTS
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._offset, self._inode = 0, 0
        self._spans: list[SpanJson] = []
        self._open: dict[int, SpanJson] = {}
        self._stays: list[StayJson] = []
        self._here: dict[str, StayJson] = {}

    def refresh(self) -> None:
        """Read what is new."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            stat = self.path.stat()
            if stat.st_size < self._offset or (self._inode and stat.st_ino != self._inode):
                self._begin_anew()
            self._inode = stat.st_ino
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # being written
                self._offset += len(line)
                # Nine lines in ten are reports, which say nothing here.
                if b'"e":"report"' not in line[:80]:
                    with contextlib.suppress(ValueError, KeyError, TypeError):
                        self._apply(json.loads(line))

    def to_dict(self, *, living: bool) -> TimelineJson:
        """Spans and workers as plain JSON (times in seconds since the epoch).

        Args:
            living: Whether the study's process lives; a dead one's open spans have the outcome
                "interrupted".

        Returns:
            ``spans``: worker, trial, attempt, start, end (None while it runs) and outcome:
            "running", "completed", "failed", "stopped", "lost" (its worker was lost), "retried" or
            "interrupted". ``workers``: id, start, end and how it ended: None, "left" or "lost".
        """
        spans = self._spans
        if not living:
            spans = [{**s, "outcome": "interrupted"} if s["end"] is None else s for s in spans]
        return {"spans": spans, "workers": self._stays, "now": time.time()}

    def _apply(self, event: Mapping[str, object]) -> None:
        kind, now = event["e"], _seconds(event["t"])
        if kind == "start":
            worker, number = str(event["w"]), _whole(event["n"])
            self._close(number, now, "retried")
            self._open[number] = {
                "worker": worker,
                "trial": number,
                "attempt": _whole(event["a"]),
                "start": now,
                "end": None,
                "outcome": "running",
            }
            self._spans.append(self._open[number])
        elif kind == "requeue":
            self._close(_whole(event["n"]), now, "lost" if event.get("lost") else "retried")
        elif kind == "finish":
            self._close(_whole(event["n"]), now, str(event["state"]))
        elif kind == "worker":
            self._worker(str(event["w"]), str(event["state"]), now)

    def _close(self, number: int, now: float, outcome: str) -> None:
        span = self._open.pop(number, None)
        if span is not None:
            span["end"], span["outcome"] = now, outcome

    def _worker(self, name: str, state: str, now: float) -> None:
        if state == "joined" and name not in self._here:
            self._here[name] = {"id": name, "start": now, "end": None, "ended": None}
            self._stays.append(self._here[name])
        elif state in {"lost", "left"}:
            stay = self._here.pop(name, None)
            if stay is not None:
                stay["end"], stay["ended"] = now, state


def _seconds(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value
