"""The clock of a study: time of day for its journal, and how far that has jumped.

A laptop that sleeps and a clock that is set both move the time of day; neither is time that a study
has used.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SMALL = 5.0  # seconds: a clock that is set right moves less


class JumpingClock:
    """Seconds since the epoch; notices what moves them beside the time that passes.

    Args:
        wall: Seconds since the epoch.
        steady: Seconds that never jump.

    Attributes:
        jump: Seconds by which the time of day has moved since `settle`.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._last = wall(), steady()
        self.jump = 0.0

    def __call__(self) -> float:
        now, passed = self._wall(), self._steady()
        moved = (now - self._last[0]) - (passed - self._last[1])
        if abs(moved) > SMALL:
            self.jump += moved
        self._last = now, passed
        return now

    def settle(self) -> None:
        """What was noticed is written down."""
        self.jump = 0.0


def describe_seconds(seconds: float) -> str:
    """A length of time, in the unit that fits."""
    amount = abs(seconds)
    if amount < 90:
        return f"{amount:.0f} s"
    return f"{amount / 3600:.1f} h" if amount >= 5400 else f"{amount / 60:.0f} min"


def describe_jump(seconds: float) -> str:
    """What is said of a jump."""
    size = describe_seconds(seconds)
    if seconds > 0:
        return f"the machine slept, or its clock was put on, for {size}: that does not count"
    return f"the clock was put back by {size}: the study's time goes on"
