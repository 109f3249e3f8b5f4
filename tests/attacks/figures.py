"""What an attack has come to: how many were made, and what went wrong, by kind."""

from __future__ import annotations

import argparse
import json
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

MARK = "figures: "
NOTES = 12  # faults that are told in words


@dataclass
class Figures:
    """All but ``done`` are to be 0.

    Attributes:
        done: Attacks made.
        lost: Results or files that were acknowledged and are gone or damaged.
        twice: What is there, or ran, twice.
        leaks: Answers to who may not have them; secrets and files told or written elsewhere.
        status_500: Answers with that status.
        tracebacks: Errors other than ours, with a hint; traces in logs; broken promises.
        waits: What took longer than it may.
        notes: The first faults in words.
        told: What else is worth a word: figures of a good run.
    """

    done: int = 0
    lost: int = 0
    twice: int = 0
    leaks: int = 0
    status_500: int = 0
    tracebacks: int = 0
    waits: int = 0
    notes: list[str] = field(default_factory=list)
    told: str = ""
    _told: set[str] = field(default_factory=set, repr=False)

    def fault(self, kind: str, what: str, like: str = "") -> None:
        """Count a fault; of several that are ``like`` each other one is told."""
        setattr(self, kind, getattr(self, kind) + 1)
        if (like and like in self._told) or len(self.notes) >= NOTES:
            return
        self._told.add(like)
        self.notes.append(f"{kind}: {what[:600]}")

    def to_json(self) -> dict[str, object]:
        """All but what is only remembered."""
        return {k: v for k, v in vars(self).items() if not k.startswith("_")}


KINDS = ("lost", "twice", "leaks", "status_500", "tracebacks", "waits")


Attack = Callable[[int, random.Random], Figures]


def main(**attacks: Attack) -> None:
    """Make the attack of a name, so often, with a seed; print the figures on the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("attack", choices=attacks)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    try:
        figures = attacks[asked.attack](asked.count, random.Random(asked.seed))
    except Exception:
        # What it has seen so far counts for nothing.
        figures = Figures()
        figures.fault("tracebacks", f"the attack broke off: {traceback.format_exc()[-560:]}")
    print(MARK + json.dumps(figures.to_json()), flush=True)
