"""Errors of Spark cells in few lines: the cause first, the user's line, advice; the log has all.

An error of Spark's client is 40 frames of gRPC and as many of Java around one line of the user's.
"""

from __future__ import annotations

import contextlib
import linecache
import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from eolab.errors import write_log
from eolab.redaction import redact

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

LONGEST = 1000  # characters of a cause
_LOGS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
INTERRUPTED = "Interrupted: what the cell ran on the cluster is being cancelled."
# Words of an error, and what helps. The first that fits counts.
ADVICE = {
    r"PYTHON_VERSION_MISMATCH|different version .* than that in driver": """
        Executors run another Python: give its path there as python = "..." in the cluster's
        table.""",
    r"No module named": """
        Executors lack it: install it there, or send it with
        spark.addArtifacts(PATH, pyfile=True).""",
    r"exited unexpectedly": """
        The process was killed, most likely for its memory, or code in C crashed: give a task
        fewer rows (repartition), or the machine more memory.""",
    r"OutOfMemoryError|Java heap space|GC overhead limit": """
        Java has too little memory: fetch fewer rows, or set "spark.driver.memory" (and
        "spark.executor.memory") in conf of the cluster's table, and start it anew.""",
    r"ExecutorLostFailure": """
        The cluster took an executor away, or it ran out of memory: give it more, or try again.""",
    r"INVALID_HANDLE\.SESSION|SESSION_CHANGED": """
        The session has ended, and its views with it: run the cell again, it gets a new one.""",
    r"StatusCode\.(UNAVAILABLE|UNAUTHENTICATED|DEADLINE_EXCEEDED)": """
        See %clusters list: whether the server runs, its address and its token.""",
    r"bigger than spark\.driver\.maxResultSize|RESOURCE_EXHAUSTED": """
        Too much is fetched or sent at once: take fewer rows (-n) or columns, or write Parquet.""",
}


@contextlib.contextmanager
def short(shell: InteractiveShell) -> Iterator[None]:
    """Show Spark's errors and interrupts in few lines meanwhile."""
    from pyspark.errors import PySparkException

    before = shell.custom_exceptions, shell.CustomTB
    levels = [(log, log.level) for log in map(logging.getLogger, _LOGS)]
    for log, _ in levels:
        log.setLevel(logging.CRITICAL)  # the same error once more, as a line of JSON

    def show(
        shell: InteractiveShell,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> None:
        lines = [INTERRUPTED] if kind is KeyboardInterrupt else described(error, trace)
        # The shell asks an error how it wants to be shown.
        error.__dict__["_render_traceback_"] = lambda: lines
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((PySparkException, KeyboardInterrupt), show)
    try:
        yield
    finally:
        shell.custom_exceptions, shell.CustomTB = before
        for log, level in levels:
            log.setLevel(level)


def described(error: BaseException, trace: TracebackType | None = None) -> list[str]:
    """An error of Spark in lines for a cell.

    Args:
        error: The error.
        trace: Where it came through; the last line of the user's is shown.
    """
    name, cause, inside = _cause(error)
    lines = [redact(f"{name}: {cause}")]
    lines += [f"  in a task: {place}" for place in inside]
    lines += [f"  from here: {place}" for place in _users_line(trace, inside)]
    text = str(error)
    hints = [hint for words, hint in ADVICE.items() if re.search(words, text)]
    lines += [f"Hint: {' '.join(hint.split())}" for hint in hints[:1]]
    if (log := write_log(error)) is not None:
        lines.append(f"(all of it, with Java's stack: {log})")
    return lines


def cause(error: BaseException) -> str:
    """What an error says, without Java's stack and the client's plan."""
    return _cause(error)[1]


def _cause(error: BaseException) -> tuple[str, str, list[str]]:
    """Name and words of the error at the root, and the user's line where a task raised it."""
    text = str(error).strip()
    python = re.search(r"Traceback \(most recent call last\):\n(?P<frames>(?:[ \t].*\n)+)", text)
    if python is not None:
        rest = text[python.end() :].partition("\n SQLSTATE:")[0].partition("\n\tat ")[0].strip()
        kind, _, words = rest.partition(":")
        return kind.strip() or "error", words.strip()[:LONGEST], _frames(python["frames"])
    name = type(error).__name__
    text = text.partition("\n\nJVM stacktrace")[0].partition("\n\tat ")[0]
    # The plan says where in Spark's words, not in the user's.
    text = re.split(r"\s*SQLSTATE: \w+;\n'", text)[0]
    text = re.sub(r" SQLSTATE: \w+", "", text)
    lost = re.match(
        r"Job aborted due to stage failure: .*?: ([\w.$]+(?:Exception|Error): .*)", text
    )
    return name, (lost[1] if lost else text).strip()[:LONGEST], []


def _frames(text: str) -> list[str]:
    """The last frame of a task's traceback that is not a library's."""
    found = re.findall(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (\S+)', text)
    own = [f for f in found if "site-packages" not in f[0] and "/pyspark/" not in f[0]] or found
    if not own:
        return []
    file, line, function = own[-1]
    code = linecache.getline(file, int(line)).strip()
    return [f"line {line} of {function}" + (f": {code}" if code else "")]


def _users_line(trace: TracebackType | None, inside: list[str]) -> list[str]:
    """The last line of a cell or of the user's own files that a call went through.

    Args:
        trace: Where the error came through; Spark's client appends the frames of the task.
        inside: Those of the task.
    """
    own = [
        frame
        for frame in traceback.extract_tb(trace)
        if not re.search(r"site-packages|/pyspark/|/grpc/|/lib/python\d", frame.filename)
        and not any(place.startswith(f"line {frame.lineno} of {frame.name}") for place in inside)
    ]
    return [f"line {own[-1].lineno}: {own[-1].line or ''}".rstrip(": ")] if own else []
