"""The code of README and of the documentation's pages, run as their readers will run it."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = {"python", "ipython"}
_FENCE = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^Out\[\d+\]: \n?", re.MULTILINE)
_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        kind: The word behind the fence.
        text: What stands in it.
        line: Number of its first line in the page.
        start: Where its text begins in the page.
        output: For code, the ``text`` block right behind it: what the code shows. None where
            there is none.
    """

    kind: str
    text: str
    line: int
    start: int
    output: Block | None = None


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in order; an output comes with its code and alone."""
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(page):
        line = page.count("\n", 0, match.start()) + 2
        block = Block(match["kind"], match["text"], line, match.start("text"))
        follows = found and not page[end : match.start()].strip()
        if block.kind == "text" and follows and found[-1].kind in CODE:
            code = found[-1]
            found[-1] = Block(code.kind, code.text, code.line, code.start, block)
        found.append(block)
        end = match.end()
    return found


def run(shell: InteractiveShell, block: Block) -> str:
    """Run a block of code in the shell; returns what it shows: printed text, its last value."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        shell.run_cell(block.text).raise_error()
    return _PROMPT.sub("", shown.getvalue())


def same(shown: str, wanted: str) -> bool:
    """Whether a block shows what stands in the page, where ``...`` stands for anything."""
    return doctest.OutputChecker().check_output(wanted, shown, _SAME)


def code_of(page: Path) -> Iterator[Block]:
    """The blocks of code of a page."""
    return (block for block in blocks(page.read_text(encoding="utf-8")) if block.kind in CODE)
