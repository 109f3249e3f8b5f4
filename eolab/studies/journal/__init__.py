"""The journal of a study: its files, and the state that they tell."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
