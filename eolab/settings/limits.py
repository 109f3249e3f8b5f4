"""How long a remote service may keep us, and how much it may send: `[limits]` in `eolab.toml`.

What counts, the first first: the keyword `limits=` of `ws.catalog`, the environment
(`EOLAB_LIMITS_PAGES`), the file, the defaults here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TypedDict, get_type_hints

from eolab.errors import ConfigError, InvalidInputError, nearest
from eolab.settings.tables import Section, kind_of

PREFIX = "EOLAB_LIMITS_"


@dataclass(frozen=True)
class Limits:
    """Limits of what others send; reaching one is told.

    What came of a search or a download is kept; a document that is too large or late is not read.

    Attributes:
        minutes: For a search, looked at between its pages; for the head of an answer, and for its
            body.
        pages: Of one search.
        megabytes: Of one document, unpacked (1 MB is 1,048,576 bytes).
        retry_after: Seconds that a service may ask us to wait before the next try.
        slowest: Bytes a second below which a download is given up (what came is kept); 0 for none.
        folder_entries: Names that are looked at for one path that is typed in a panel.
        folder_seconds: Seconds for the same.
    """

    minutes: float = 10.0
    pages: int = 200
    megabytes: int = 64
    retry_after: float = 60.0
    slowest: int = 1_000
    folder_entries: int = 20_000
    folder_seconds: float = 2.0

    @property
    def seconds(self) -> float:
        """`minutes` in seconds."""
        return self.minutes * 60

    @property
    def size(self) -> int:
        """`megabytes` in bytes."""
        return self.megabytes << 20


class LimitOptions(TypedDict, total=False):
    """Limits that are said otherwise; `Limits` says what each means."""

    minutes: float
    pages: int
    megabytes: int
    retry_after: float
    slowest: int
    folder_entries: int
    folder_seconds: float


NAMES = tuple(each.name for each in fields(Limits))
_KINDS = get_type_hints(Limits)
# Nothing is without an end: the largest is far beyond what anybody waits for.
_ALLOWED: Mapping[str, tuple[float, float]] = {
    "minutes": (0.01, 1_440),
    "pages": (1, 1_000_000),
    "megabytes": (1, 16_384),
    "retry_after": (0, 3_600),
    "slowest": (0, 1_000_000_000),
    "folder_entries": (100, 10_000_000),
    "folder_seconds": (0.1, 60),
}


def read(section: Section) -> Limits:
    """The limits of a file.

    Args:
        section: Its `[limits]`.

    Raises:
        ConfigError: A value is no number, or lies beyond what is allowed.
    """
    said = {
        name: _checked(name, value, f"{section.file}: {section.key}.{name}")
        for name, value in section.value.items()
    }
    return _with(Limits(), said)


def in_force(said: Limits | None = None, given: LimitOptions | None = None) -> Limits:
    """The limits that count.

    Args:
        said: Those of the file; None for the defaults.
        given: A caller's own, which come before the environment.

    Raises:
        ConfigError: A variable of the environment holds none.
        InvalidInputError: The caller's own are none.
    """
    found = {}
    for name in NAMES:
        variable = PREFIX + name.upper()
        text = os.environ.get(variable, "").strip()
        if text:
            found[name] = _checked(name, _number(text), f"the environment variable {variable}")
    own = {}
    if given is not None and not isinstance(given, Mapping):
        raise InvalidInputError(
            f"limits={given!r} names no limit", 'Give them by name: limits={"pages": 1_000}.'
        )
    for name, value in (given or {}).items():
        if name not in NAMES:
            raise InvalidInputError(
                f"limits has no {name!r}", nearest(name, NAMES, "limits that can be set")
            )
        try:
            own[name] = _checked(name, value, f"limits[{name!r}]")
        except ConfigError as error:
            raise InvalidInputError(error.message, error.hint) from None
    return _with(said or Limits(), {**found, **own})


def said_as(name: str) -> str:
    """Where a limit is said, for the message that it was reached.

    Args:
        name: Of the limit.
    """
    return f"[limits] {name} in eolab.toml"


def raise_hint(name: str) -> str:
    """How a limit is raised."""
    return f"raise {said_as(name)}"


def _with(limits: Limits, said: Mapping[str, float]) -> Limits:
    values: dict[str, float] = {**asdict(limits), **said}
    return Limits(
        minutes=float(values["minutes"]),
        pages=int(values["pages"]),
        megabytes=int(values["megabytes"]),
        retry_after=float(values["retry_after"]),
        slowest=int(values["slowest"]),
        folder_entries=int(values["folder_entries"]),
        folder_seconds=float(values["folder_seconds"]),
    )


def _number(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _checked(name: str, value: object, where: str) -> float:
    """A limit as it is written.

    Raises:
        ConfigError: It is no number, or lies beyond what is allowed.
    """
    least, most = _ALLOWED[name]
    whole = _KINDS[name] is int
    kind = f"a {'whole ' if whole else ''}number from {least:g} to {most:,.0f}"
    wrong = f"{where} is {kind_of(value)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        fits = isinstance(value, int) or (not whole and math.isfinite(value))
        if fits and least <= value <= most:
            return value
        wrong = f"{where} = {value}"
    raise ConfigError(f"{wrong}, allowed: {kind}", f"Mend the value of {name}.")
