"""What a cell shows: a name that the front end draws live, and a static picture beside it."""

from __future__ import annotations

from eolab.views.study import study_view

__all__ = ["study_view"]
