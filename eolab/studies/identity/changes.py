"""What differs between two identities, in the words of whoever wrote the code."""

from __future__ import annotations

from collections.abc import Mapping

Parts = Mapping[str, Mapping[str, object]]
MOST_NAMED = 3


def changes(before: Parts, now: Parts) -> str:
    """The parts that differ: ``MODELS['small'], constant 16 -> 6 in build``; "" where none does.

    Args:
        before: The parts of the study that is there.
        now: Those of what was given now.
    """
    found = []
    for name, part in now.items():
        known = before.get(name)
        if known is not None and known["own"] != part["own"]:
            found.append(_constant(name, known["shown"], part["shown"]) or name)
    if not found:
        found = [name for name in (*now, *before) if (name in now) != (name in before)]
    found = list(dict.fromkeys(filter(None, found)))
    named = ", ".join(found[:MOST_NAMED])
    return f"{named} and {len(found) - MOST_NAMED} more" if found[MOST_NAMED:] else named


def _constant(name: str, before: object, now: object) -> str:
    """The one constant that is another, where that is all."""
    if not isinstance(before, list) or not isinstance(now, list) or len(before) != len(now):
        return ""
    other = [(a, b) for a, b in zip(before, now, strict=True) if a != b]
    return f"constant {other[0][0]} -> {other[0][1]} in {name}" if len(other) == 1 else ""
