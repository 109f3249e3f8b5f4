"""What an ablation takes along by value to executors on which eolab is not installed."""

from __future__ import annotations

from types import ModuleType

from eolab.studies.ablation import components, cutting, design, folds, trial
from eolab.studies.client import packing
from eolab.studies.space import seeds
from eolab.studies.surgery import keras, torch

CARRIED: tuple[ModuleType, ...] = (
    components, cutting, design, folds, keras, packing, seeds, torch, trial,
)  # fmt: skip
"""Modules of a run and of its data, besides those that every study takes along."""
