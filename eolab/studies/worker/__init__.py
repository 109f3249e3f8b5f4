"""Exactly what is shipped to an executor: standard library and cloudpickle only."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
