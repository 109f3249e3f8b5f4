"""Progress of long calls: one small interface that the terminal and the notebook both draw.

Faces set `set_display` so that domains can show themselves without importing a face.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Protocol, TypeVar

T = TypeVar("T")


class ProgressBar(Protocol):
    """What a display must draw: called with (done, total, text); total 0 means unknown."""

    def update(self, done: int, total: int, text: str) -> None: ...

    def close(self) -> None: ...


class _Terminal:
    """A line on stderr, redrawn at most ten times a second; silent where stderr is no terminal."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.last = 0.0
        self.drawn = False

    def update(self, done: int, total: int, text: str) -> None:
        now = time.monotonic()
        if not sys.stderr.isatty() or (now - self.last < 0.1 and done < total):
            return
        self.last, self.drawn = now, True
        filled = int(24 * done / total) if total else 0
        count = f"{done}/{total}" if total else str(done)
        sys.stderr.write(f"\r{self.label:<22} [{'#' * filled:<24}] {count} {text}\x1b[K")
        sys.stderr.flush()

    def close(self) -> None:
        if self.drawn:
            sys.stderr.write("\n")
            sys.stderr.flush()


_make_bar: Callable[[str], ProgressBar] = _Terminal
_show: Callable[[object], None] | None = None


def set_display(
    *, bar: Callable[[str], ProgressBar] | None = None, show: Callable[[object], None] | None = None
) -> None:
    """Draw progress bars with ``bar(label)`` and objects (a live study) with ``show(object)``."""
    global _make_bar, _show
    if bar is not None:
        _make_bar = bar
    if show is not None:
        _show = show


def start(label: str) -> ProgressBar:
    """A bar for work that is no loop over items; the caller closes it."""
    return _make_bar(label)


def show(result: object) -> bool:
    """Let the current face show a result; False where there is no face (a plain script)."""
    if _show is None:
        return False
    _show(result)
    return True


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Iterate with a progress bar; the bar is closed on error and interrupt too."""
    if total is None:
        total = len(items) if isinstance(items, Sized) else 0
    bar = _make_bar(label)
    try:
        for done, item in enumerate(items):
            bar.update(done, total, "")
            yield item
        bar.update(total, total, "")
    finally:
        bar.close()
