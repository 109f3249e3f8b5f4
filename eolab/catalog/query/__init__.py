"""What is asked of a catalogue: queries, CQL2 and free text."""

from __future__ import annotations

from eolab.moved_modules import names_of

__getattr__ = names_of(__name__)
