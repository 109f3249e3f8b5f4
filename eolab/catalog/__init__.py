"""Find scenes and load them as cubes."""

from __future__ import annotations
