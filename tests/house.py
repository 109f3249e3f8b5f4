"""Lists of what the house does not hold yet: `tests/house_exceptions/`, a file for each domain.

They only shrink: a line that is not needed any more fails as a new fault does. `SHRINK=1 pytest
tests/test_house.py tests/test_examples.py` takes such lines off; nothing adds any.
"""

from __future__ import annotations

import os
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
    if "SHRINK" in os.environ:
        take_off(listed - faults)
        listed &= faults
    message = [f"{rule}: {fault}" for fault in sorted(faults - listed)]
    message += [f"{rule}: holds now, take it off the list: {x}" for x in sorted(listed - faults)]
    assert not message, "\n".join(message)


def take_off(lines: set[str]) -> None:
    for path in LISTS.glob("*.toml"):
        kept = [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip().rstrip(",").strip('"') not in lines
        ]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
