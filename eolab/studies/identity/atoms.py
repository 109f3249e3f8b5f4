"""Values as bytes that say type and length, so that no two sequences of values look alike."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONG = 1 << 16
"""Text and bytes longer than this stand as their hash."""


def pack(*parts: bytes) -> bytes:
    """The parts one after another, each with its length in front."""
    return b"".join(b"%d:%b" % (len(part), part) for part in parts)


def fingerprint(content: bytes | bytearray | memoryview) -> bytes:
    """The BLAKE3 hash of contiguous bytes."""
    from blake3 import blake3

    return bytes(blake3(content).digest())


def atom(value: object) -> bytes | None:
    """A plain value as bytes; None for anything else, subclasses of plain types included."""
    kind = type(value)
    if kind is str:
        return b"s" + _held(str(value).encode("utf-8", "surrogatepass"))
    if kind is float:
        return b"f" + struct.pack(">d", value)
    if kind is bool or value is None or value is Ellipsis or value is NotImplemented:
        return b"c" + repr(value).encode() + b";"
    if isinstance(value, int) and kind is int:
        return b"i%x;" % value
    if isinstance(value, bytes) and kind is bytes:
        return b"b" + _held(value)
    if isinstance(value, complex) and kind is complex:
        return b"j" + struct.pack(">dd", value.real, value.imag)
    return None


def _held(content: bytes) -> bytes:
    if len(content) > LONG:
        return b"#%d:%b" % (len(content), fingerprint(content))
    return b"%d:%b" % (len(content), content)


def unordered(parts: Iterable[bytes]) -> bytes:
    """Parts of which the order says nothing."""
    return pack(*sorted(parts))


def shown(value: object) -> str:
    """A plain value for a message: numbers and short constants; text only by its beginning."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


MOST_SHOWN = 40
