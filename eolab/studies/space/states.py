"""Words that all of a study shares: where a metric should go, how a trial stands."""

from __future__ import annotations

from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["maximize", "minimize"]
"""Whether large or small values of the metric are good."""

TrialState: TypeAlias = Literal["running", "completed", "stopped", "failed"]
"""How a trial stands, as a sampler hears it."""

End: TypeAlias = Literal["completed", "stopped", "failed"]
"""How a trial ended: with a value, stopped early by a rule or a user, or without a value."""
