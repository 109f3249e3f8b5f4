"""Train, validation and test parts, apart in space and time."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
