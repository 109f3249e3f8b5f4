"""Samples of a view, with on-demand features and transformations."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
