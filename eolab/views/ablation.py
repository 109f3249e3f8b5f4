"""An ablation under a cell: the live view's name, and bars, table and sentences as they stood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eolab.views.study import output

if TYPE_CHECKING:
    from eolab.studies.ablation import Ablation


def ablation_view(ablation: Ablation) -> dict[str, object]:
    """What a cell shows of an ablation, by MIME type; see `eolab.views.study.study_view`."""
    return {
        **output(ablation.study),
        "text/html": ablation._repr_html_(),
        "text/markdown": ablation._repr_markdown_(),
        "text/plain": repr(ablation),
    }
