"""Registered models: versions with their lineage, judged once on the held-out test part."""

from __future__ import annotations

from eolab.models.registry import ModelRegistry
from eolab.models.versions import ModelVersion

__all__ = ["ModelRegistry", "ModelVersion"]
