"""Warnings that point to the user's own line."""

from __future__ import annotations

import inspect
import os
import warnings
from pathlib import Path

_HOUSE = str(Path(__file__).parent) + os.sep  # not eolab_notebook.py beside it


def warn(message: str, kind: type[Warning]) -> None:
    """Warn at the first line outside of this package, however deep the call is."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_HOUSE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, kind, stacklevel=level)
