"""The newest row of each key, for serving: SQLite or PostgreSQL."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
