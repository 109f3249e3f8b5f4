"""Ablation studies: what features, groups of features, layers and modules are worth.

After AutoAblation (Sheikholeslami et al., "AutoAblation: Automated Parallel Ablation Studies for
Deep Learning", EuroMLSys 2021), whose names `AblationStudy` understands.
"""

from __future__ import annotations

from eolab.studies.ablation.builder import AblationStudy
from eolab.studies.ablation.preview import Preview
from eolab.studies.ablation.result import AblationResult
from eolab.studies.ablation.study import Ablation, ablate, open_ablation

__all__ = ["Ablation", "AblationResult", "AblationStudy", "Preview", "ablate", "open_ablation"]
