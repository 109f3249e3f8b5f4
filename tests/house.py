"""Lists of what the house does not hold yet: `tests/house_exceptions/`, a file for each domain.

They only shrink: a line that is not needed any more fails as a new fault does.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

LISTS = Path(__file__).with_name("house_exceptions")


def allowed(rule: str) -> set[str]:
    lines: set[str] = set()
    for path in LISTS.glob("*.toml"):
        lines |= set(tomllib.loads(path.read_text(encoding="utf-8")).get(rule, []))
    return lines


def check(rule: str, faults: set[str]) -> None:
    """The faults of a rule are exactly those that the lists allow."""
    listed = allowed(rule)
    message = [f"{rule}: {fault}" for fault in sorted(faults - listed)]
    message += [f"{rule}: holds now, take it off the list: {x}" for x in sorted(listed - faults)]
    assert not message, "\n".join(message)
