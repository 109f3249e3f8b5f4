"""Seeds: everything random in a study follows from its seed and the trial's number."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, n: int, purpose: str = "") -> int:
    """A seed of 32 bits for trial ``n`` of a study, another one for each ``purpose``.

    The SHA-256 of the three, so that neighbouring trials and studies share nothing, on every
    machine and in every version of Python.
    """
    digest = hashlib.sha256(f"{seed}:{n}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
