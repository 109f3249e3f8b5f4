"""Networks without one of their layers: Keras and PyTorch."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
