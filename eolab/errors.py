"""The error tree: what a user did or met, with a hint.

Anything else is a fault of ours and keeps its traceback.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from eolab.deprecation import old_names

LOG_MOST = 4 << 20  # bytes of errors.log; as much again is kept of what came before
_log: Path | None = None
_log_mode = 0o600


class EolabError(Exception):
    """An expected error: one sentence that says what is wrong and one that says what to do.

    In a notebook cell only these two lines are shown; the traceback goes to the workspace's
    ``logs/errors.log``.

    Args:
        message: What is wrong, naming the thing (file, key, column, item).
        hint: What the user can do about it.

    Example:
        >>> try:
        ...     ws.features.feature_group("parcel")
        ... except eo.EolabError as error:
        ...     print(error.message)
        no feature group 'parcel'
    """

    status = 400

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = _redact(message), _redact(hint)
        super().__init__(self.message)
        _redact_cause(sys.exc_info()[1])

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[type[EolabError], tuple[str, str]]:
        return type(self), (self.message, self.hint)

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: the two lines of a cell (the traceback is kept in the log)."""
        where = write_log(self)
        lines = [f"{type(self).__name__}: {self.message}"]
        if self.hint:
            lines.append(f"Hint: {self.hint}" + (f"  (details: {where})" if where else ""))
        return lines


class InvalidInputError(EolabError):
    """An argument, file or table that cannot be used as it is."""


class ConfigError(InvalidInputError):
    """A faulty ``eolab.toml``: names the file, the key and what is allowed."""


class NotFoundError(EolabError):
    """A name that is not there: catalogue, item, feature group, study, model."""

    status = 404


class ConflictError(EolabError):
    """The thing is in a state that forbids this: taken name, running study, changed code."""

    status = 409


class RemoteError(EolabError):
    """A service or a process that we depend on failed or does not answer."""

    status = 502


def nearest(name: str, names: list[str] | tuple[str, ...], what: str = "names") -> str:
    """A hint for a misspelt ``name``: the nearest of ``names``, else all (at most twelve)."""
    import difflib

    # In here, not beside: digests of the first studies hold the names that our functions use.
    def is_one_slip(one: str, other: str) -> bool:
        """Whether a letter more, less or other, or two swapped ones, make one text of another."""
        short, long = sorted((one, other), key=len)
        if len(long) - len(short) > 1 or len(short) < 3:
            return False
        pairs = enumerate(zip(short, long, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), len(short))
        if len(short) < len(long):
            return short[at:] == long[at + 1 :]
        swapped = short[:at] + short[at : at + 2][::-1] + short[at + 2 :]
        return short[at + 1 :] == long[at + 1 :] or swapped == long

    # Case is the most common slip of all, so it does not count.
    folded = {candidate.casefold(): candidate for candidate in names}
    wanted = name.casefold()
    # First what differs by one slip of the fingers, two letters in the wrong order among them.
    slips = [each for each in folded if each != wanted and is_one_slip(wanted, each)]
    others = difflib.get_close_matches(wanted, list(folded), n=3, cutoff=0.6)
    close = list(dict.fromkeys([*(each for each in others if each in slips), *slips, *others]))[:3]
    if close:
        return "Did you mean " + " or ".join(repr(folded[c]) for c in close) + "?"
    if not names:
        return f"There are no {what} yet."
    shown = ", ".join(list(names)[:12]) + (", ..." if len(names) > 12 else "")
    return f"The {what} are: {shown}."


def set_log(folder: Path, *, mode: int = 0o600) -> None:
    """Send tracebacks of expected errors to ``folder/errors.log``.

    Args:
        folder: Made with the first of them.
        mode: Permissions of a new log.
    """
    global _log, _log_mode
    _log, _log_mode = folder / "errors.log", mode


def write_log(error: BaseException) -> Path | None:
    """Append the traceback of ``error`` to the log; None where there is no log or it fails."""
    if _log is None:
        return None
    try:
        folder_mode = 0o700 if _log_mode == 0o600 else 0o777
        for folder in (_log.parent.parent, _log.parent):
            folder.mkdir(folder_mode, parents=True, exist_ok=True)
        if _log.exists() and _log.stat().st_size > LOG_MOST:
            _log.replace(_log.with_name("errors.log.1"))
        handle = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _log_mode)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as file:
            file.write(time.strftime("\n== %Y-%m-%dT%H:%M:%S%z\n"))
            file.write(_redact("".join(traceback.format_exception(error))))
    except OSError:
        return None
    return _log


def _redact_cause(cause: BaseException | None) -> None:
    """Without secrets, too, is what an error is raised from: Python prints it."""
    if cause is None:
        return
    try:
        from eolab.redaction import redact_error
    except ImportError:
        return
    redact_error(cause)


def _redact(text: str) -> str:
    """Without secrets (see `eolab.redaction`).

    Imported late: errors travel by value to executors without eolab, and secrets never along.
    """
    try:
        from eolab.redaction import redact
    except ImportError:  # such an executor, which reads no login
        return text
    return redact(text)


__getattr__ = old_names(
    __name__,
    {"BadInput": "InvalidInputError", "NotFound": "NotFoundError", "Conflict": "ConflictError"},
)
