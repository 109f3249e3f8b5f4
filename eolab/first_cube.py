"""What waits for the first cube: the `.eo` accessor, which stands above the room that loads cubes.

`eolab` says what is wanted, the room of cubes says when; neither imports the other.
"""

from __future__ import annotations

from collections.abc import Callable

_waiting: list[Callable[[], object]] = []


def when_loaded(call: Callable[[], object]) -> None:
    """Have ``call`` called once, when the first cube of this process is loaded."""
    _waiting.append(call)


def loaded() -> None:
    """A cube was loaded."""
    while _waiting:
        _waiting.pop()()
