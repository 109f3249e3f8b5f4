"""The simulated sample region: scenes with known truth and the traps of real archives."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
