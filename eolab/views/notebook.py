"""The notebook's display: live studies and progress bars under the running cell.

The one file that wraps IPython's display.
"""

from __future__ import annotations

import contextlib
import time
from html import escape
from typing import TYPE_CHECKING, Protocol

from IPython import get_ipython
from IPython.display import display

from eolab import progress
from eolab.views.ablation import ablation_view
from eolab.views.study import study_view

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.studies import Study
    from eolab.studies.ablation import Ablation

# Work that is done sooner needs no bar.
PATIENCE, INTERVAL = 0.5, 0.2

_installed: set[int] = set()


class Handle(Protocol):
    """What `display(display_id=True)` gives."""

    def update(self, obj: object, **options: object) -> None: ...


def install(shell: InteractiveShell | None = None) -> None:
    """Show studies live and draw progress bars in HTML; a terminal keeps its own bars.

    Calling it again changes nothing.
    """
    shell = shell or get_ipython()
    if shell is None:
        return
    if id(shell) in _installed:
        return
    _installed.add(id(shell))
    shown = Shown()
    formatter = shell.display_formatter
    if formatter is not None:
        views = formatter.mimebundle_formatter
        views.for_type_by_name("eolab.studies.client.study", "Study", shown.study)
        views.for_type_by_name("eolab.studies.ablation.study", "Ablation", shown.ablation)
    if getattr(shell, "kernel", None) is None:
        return
    shell.events.register("post_run_cell", shown.refresh)
    progress.set_display(bar=CellBar, show=shown.show)


class Shown:
    """The studies that the running cell shows."""

    def __init__(self) -> None:
        self._studies: list[tuple[Study, Handle]] = []

    def show(self, result: object) -> None:
        """Show a result under the cell; a study is drawn live, and once more when the cell ends."""
        from eolab.studies import Study

        if not isinstance(result, Study):
            display(result)
            return
        self._studies.append((result, _display(study_view(result))))

    def study(self, study: Study) -> dict[str, object]:
        """What the cell shows of a study that it displays itself."""
        self._make_room(study)
        return study_view(study)

    def ablation(self, ablation: Ablation) -> dict[str, object]:
        """What the cell shows of an ablation that it displays itself."""
        self._make_room(ablation.study)
        return ablation_view(ablation)

    def _make_room(self, study: Study) -> None:
        """The live view that came up at the study's start goes: one in a cell is enough."""
        earlier = [pair for pair in self._studies if pair[0].folder == study.folder]
        for pair in earlier:
            self._studies.remove(pair)
            pair[1].update({"text/html": "", "text/plain": ""}, raw=True)

    def refresh(self, _: object = None) -> None:
        """The cell has ended: what is saved with the notebook is how the study stands now."""
        studies, self._studies = self._studies, []
        for study, handle in studies:
            # A study that was deleted meanwhile keeps the picture that it has.
            with contextlib.suppress(Exception):
                handle.update(_picture(study), raw=True)


def _picture(study: Study) -> dict[str, object]:
    from eolab.studies.ablation.study import FILE, Ablation, read_document

    if not (study.folder / FILE).exists():
        return study_view(study)
    return ablation_view(Ablation(study, read_document(study.folder, study.name)))


class CellBar:
    """A progress bar under the cell."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.begun = self.drawn = time.monotonic()
        self.state = (0, 0, "")
        self.handle: Handle | None = None

    def update(self, done: int, total: int, text: str) -> None:
        """Draw at most five times a second, and nothing in the first half second."""
        self.state = (done, total, text)
        now = time.monotonic()
        if now - self.begun < PATIENCE or (now - self.drawn < INTERVAL and self.handle):
            return
        self.drawn = now
        self._draw()

    def close(self) -> None:
        """Leave the last state behind."""
        if self.handle is not None:
            self._draw()

    def _draw(self) -> None:
        done, total, text = self.state
        count = f"{done}/{total}" if total else str(done)
        bar = f'<progress value="{done}" max="{total}"></progress> ' if total else ""
        bundle: dict[str, object] = {
            "text/html": f"<div>{escape(self.label)} {bar}{count} {escape(text)}</div>",
            "text/plain": f"{self.label} {count} {text}".rstrip(),
        }
        if self.handle is None:
            self.handle = _display(bundle)
        else:
            self.handle.update(bundle, raw=True)


def _display(bundle: dict[str, object]) -> Handle:
    handle: Handle = display(bundle, raw=True, display_id=True)
    return handle
