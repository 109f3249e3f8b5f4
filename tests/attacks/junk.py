"""Damage anywhere in a document."""

from __future__ import annotations

import pickle
import random
from typing import Any

JUNK = [
    None,
    True,
    -1,
    0,
    1e308,
    10**40,
    "",
    "x" * 10_000,
    "\x00\ud7ff",
    [],
    {},
    [None],
    {"a": {"b": []}},
    [[[[1]]]],
    "../../../../etc/passwd",
    "file:///etc/passwd",
    "http://169.254.169.254/",
    "2021-13-45T99:00:00Z",
    "NaN",
    "http://[::1/a.tif",
    "https://me:pw@example.org:99999999/a.tif",
    "~nobody/a.tif",
    "/dev/zero",
    "s3://",
    -(2**63) - 1,
    1e-320,
]


def mutate(document: Any, rng: random.Random, most: int = 3) -> Any:
    """One to three damages anywhere in the document, which stays as it was."""
    made = pickle.loads(pickle.dumps(document))  # quicker than a deep copy
    for _ in range(rng.randint(1, most)):
        place = made
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.7:
                place = place[key]
                continue
            what = rng.random()
            if what < 0.3:
                del place[key]
            elif what < 0.9:
                # A copy: the next damage may fall into it.
                place[key] = pickle.loads(pickle.dumps(rng.choice(JUNK)))
            else:
                place[key] = [place[key]] * 3
            break
    return made
