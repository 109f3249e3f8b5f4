"""What a code object does, apart from how it was typed.

The instructions are read with their arguments looked up: lines, comments, docstrings, annotations,
the order of imports and of the compiler's tables leave no trace, everything that is carried out
does.
"""

from __future__ import annotations

import dis
import os
import re
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from eolab.studies.identity.atoms import atom, fingerprint, pack, shown, unordered
from eolab.studies.identity.written import PATH_WRITERS, is_writer, is_writing, written_parts

_SILENT = frozenset({"NOP", "CACHE", "EXTENDED_ARG"})
_FLAGGED = frozenset({"LOAD_GLOBAL", "LOAD_ATTR", "LOAD_SUPER_ATTR"})
_NAMED = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_JUMPS = frozenset({*dis.hasjrel, *dis.hasjabs})
_CONSTANTS = frozenset(dis.hasconst)
_LOOKED_UP = frozenset({*dis.hasname, *dis.haslocal, *dis.hasfree, *dis.hascompare})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
# Varargs, keyword arguments, generators, coroutines: what a call of it means.
_FLAGS = 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200


@dataclass(frozen=True)
class Import:
    """An import statement: the module, how many packages up, and the names; none: the module."""

    module: str
    level: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """A code object with those inside it.

    Attributes:
        digest: Hash of what it does, constants included.
        constants: Its constants as a message may show them, in the order of their use.
        texts: Its constants that are text, which may name files.
        names: Globals that it reads -> the attributes that follow each; () where it stands alone.
        imports: Its import statements.
        read_from: Of the texts those that no call writes to, as far as that can be seen.
        mentions: All names and attributes that it reads.
        only_written: Of the globals those that it uses for nothing but paths that it writes to.
        late: What it looks up by text when it runs (`eval`, `globals`, `import_module`), and that
            text; None where only the run knows it.
    """

    digest: bytes
    constants: tuple[str, ...]
    texts: tuple[str, ...]
    names: dict[str, tuple[tuple[str, ...], ...]]
    imports: tuple[Import, ...]
    read_from: tuple[str, ...] = ()
    mentions: frozenset[str] = frozenset()
    late: tuple[tuple[str, str | None], ...] = ()
    only_written: frozenset[str] = frozenset()


def read(code: types.CodeType, *, docstrings: bool = False) -> Code:
    """What a code object does and what it refers to.

    Args:
        code: The code object.
        docstrings: Whether those of classes inside it count, as they did in version 2.
    """
    reader = _Reader(docstrings=docstrings)
    content = reader.read(code)
    names = {name: tuple(sorted(chains)) for name, chains in sorted(reader.names.items())}
    return Code(
        fingerprint(content), tuple(reader.constants), tuple(reader.texts), names,
        tuple(reader.imports), tuple(reader.read_from), frozenset(reader.mentions),
        tuple(dict.fromkeys(reader.late)), frozenset(reader.written - reader.used),
    )  # fmt: skip


_Step = tuple[str, bytes]
_Place = Callable[[int], int]
"""The number of the step at an offset."""


class _Reader:
    def __init__(self, *, docstrings: bool) -> None:
        self._docstrings = docstrings
        self.read_from: list[str] = []
        self.mentions: set[str] = set()
        self.late: list[tuple[str, str | None]] = []
        self.written: set[str] = set()
        self.used: set[str] = set()
        self.constants: list[str] = []
        self.texts: list[str] = []
        self.names: dict[str, set[tuple[str, ...]]] = {}
        self.imports: list[Import] = []

    def read(self, code: types.CodeType) -> bytes:
        found = [i for i in dis.get_instructions(code) if i.opname not in _SILENT]
        if not self._docstrings:
            found = _without_docstring(found)
        self._refer(found)
        self._look_up(found)
        offsets = [i.offset for i in found]
        places = {offset: n for n, offset in enumerate(offsets)}

        def place(offset: int) -> int:
            while offset not in places and offset < (offsets[-1] if offsets else 0):
                offset += 2
            return places.get(offset, len(offsets))

        steps = list(chain.from_iterable(self._step(i, place) for i in found))
        arguments = code.co_argcount + code.co_kwonlyargcount
        several = bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
        head = (
            code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount,
            code.co_flags & _FLAGS, code.co_varnames[: arguments + several],
        )  # fmt: skip
        return pack(
            repr(head).encode(),
            pack(*(pack(name.encode(), argument) for name, argument in sort_imports(steps))),
            repr(_guarded(code, place)).encode(),
        )

    def _step(self, i: dis.Instruction, place: _Place) -> Iterator[_Step]:
        if i.opcode in _JUMPS:
            yield i.opname, b"to %d" % place(int(i.argval))
        elif i.opcode in _CONSTANTS:
            yield i.opname, self._constant(i.argval)
        elif i.opname.count("_FAST") == 2 and isinstance(i.argval, tuple):
            # Two in one, which the compiler makes of those that stand on one line.
            first, _, second = i.opname.partition("_FAST_")
            yield f"{first}_FAST", str(i.argval[0]).encode()
            yield second, str(i.argval[1]).encode()
        elif i.opname in _FLAGGED:
            yield i.opname, f"{i.argval} {(i.arg or 0) & 1}".encode()
        elif i.opcode in _LOOKED_UP:
            yield i.opname, str(i.argval).encode()
        else:
            yield i.opname, b"" if i.arg is None else b"%d" % i.arg

    def _constant(self, value: object) -> bytes:
        if isinstance(value, types.CodeType):
            return b"code" + self.read(value)
        if isinstance(value, tuple):
            return b"tuple" + pack(*map(self._constant, value))
        if isinstance(value, frozenset):
            return b"set" + unordered(_bytes_of(part) for part in value)
        if value is not None:
            self.constants.append(shown(value))
        if isinstance(value, str):
            self.texts.append(value)
        return _bytes_of(value)

    def _refer(self, found: Sequence[dis.Instruction]) -> None:
        for n, i in enumerate(found):
            if i.opname in _NAMED:
                attributes = []
                for after in found[n + 1 :]:
                    if after.opname not in _ATTRIBUTES:
                        break
                    attributes.append(str(after.argval))
                self.names.setdefault(str(i.argval), set()).add(tuple(attributes))
            elif i.opname == "IMPORT_NAME" and n >= 2:
                level, names = found[n - 2].argval, found[n - 1].argval
                listed = tuple(map(str, names)) if isinstance(names, tuple) else ()
                self.imports.append(
                    Import(str(i.argval), level if isinstance(level, int) else 0, listed)
                )

    def _look_up(self, found: Sequence[dis.Instruction]) -> None:
        """What is read, and what is looked up by text."""
        places = [n for n, i in enumerate(found) if i.opname not in _AROUND_CALLS]
        plain = [found[n] for n in places]
        written = written_parts(found)
        for n, i in enumerate(found):
            if i.opname in _NAMED:
                (self.written if n in written else self.used).add(str(i.argval))
        for n, i in enumerate(plain):
            if (
                i.opname.startswith("LOAD_") and i.opcode not in _CONSTANTS
            ) or i.opname == "IMPORT_FROM":
                self.mentions.add(str(i.argval))
            if i.opcode in _CONSTANTS and not (
                places[n] in written
                or _is_written(plain, n)
                or is_writer(_takes_second(found, places[n]), method=True)
            ):
                parts = i.argval if isinstance(i.argval, tuple) else (i.argval,)
                self.read_from += [part for part in parts if isinstance(part, str)]
                self.read_from += [os.fsdecode(part) for part in parts if isinstance(part, bytes)]
            named = i.opname in _NAMED and str(i.argval) in _LATE_NAMES
            if named or (i.opname.startswith("LOAD_") and i.argval in _LATE):
                self.late.append((str(i.argval), _text_after(found, i)))


def _without_docstring(found: Sequence[dis.Instruction]) -> list[dis.Instruction]:
    """The instructions of a class without its docstring."""
    for n, i in enumerate(found[1:], 1):
        if i.opname == "STORE_NAME" and i.argval == "__doc__":
            return [*found[: n - 1], *found[n + 1 :]]
    return list(found)


def _is_written(found: Sequence[dis.Instruction], n: int) -> bool:
    """Whether a text is where a call writes: `makedirs("runs")`, `open("log.txt", "w")`."""
    before = found[n - 1] if n else None
    after = found[n + 1] if n + 1 < len(found) else None
    called = before is not None and (
        before.opname in _ATTRIBUTES or (before.opname == "LOAD_GLOBAL" and bool(before.arg or 0))
    )
    name = str(before.argval) if called and before is not None else ""
    method = before is not None and before.opname in _ATTRIBUTES
    if is_writer(name, method=method):
        return True
    if after is None:
        return False
    if after.opcode in _CONSTANTS:
        return name == "open" and is_writing(after.argval, method=method)
    if after.opname in _ATTRIBUTES and after.argval == "open" and n + 2 < len(found):
        mode = found[n + 2]  # Path("log.txt").open("w")
        return mode.opcode in _CONSTANTS and is_writing(mode.argval, method=False)
    return after.opname in _ATTRIBUTES and after.argval in PATH_WRITERS


def _takes_second(found: Sequence[dis.Instruction], n: int) -> str:
    """Name of the method of which a constant is the second argument: `torch.save(net, "net.pt")`.

    The first one begins where the stack was one lower; what is called was put there before it.
    """
    depth = 0
    for k in range(n - 1, 0, -1):
        i = found[k]
        argument = i.arg if i.opcode >= dis.HAVE_ARGUMENT else None
        try:
            depth -= dis.stack_effect(i.opcode, argument, jump=False)
        except ValueError:
            return ""
        if depth <= -1:
            called = next((b for b in reversed(found[:k]) if b.opname != "PUSH_NULL"), None)
            alone = depth == -1 and called is not None and called.opname in _ATTRIBUTES
            return str(called.argval) if alone and called is not None else ""
    return ""


def words_of_queries(mentions: Collection[str], texts: Iterable[str]) -> set[str]:
    """Names in the texts of code that hands text to a library which looks them up here.

    `frame.query("ndvi > @LOW")`, `duckdb.sql("FROM plots")` and formulas find what the caller sees.

    Args:
        mentions: All names and attributes that the code reads.
        texts: Its texts, and those that it is given.
    """
    if not _QUERIES & set(mentions):
        return set()
    return {word for text in texts for word in _WORD.findall(text)}


_AROUND_CALLS = frozenset({"PUSH_NULL", "PRECALL", "CALL", "KW_NAMES", "CALL_FUNCTION"})
_QUERIES = frozenset({"query", "eval", "evaluate", "sql", "execute", "from_formula",
                      "ols", "gls", "wls", "glm", "logit", "mixedlm", "dmatrix",
                      "dmatrices"})  # fmt: skip
_WORD = re.compile(r"\b[^\W\d]\w*")
_LATE_NAMES = frozenset({"eval", "exec", "globals", "__import__"})
_LATE = frozenset({"import_module", "run_module", "run_path"})


def _text_after(found: Sequence[dis.Instruction], look_up: dis.Instruction) -> str | None:
    """The text that a look-up is given: `eval("K")`, `globals()["K"]`, `globals().get("K")`."""
    n = found.index(look_up) + 1
    while n + 1 < len(found) and (
        found[n].opname in _AROUND_CALLS
        or (found[n].opname in _ATTRIBUTES and found[n].argval == "get")
    ):
        n += 1
    text, after = found[n], found[min(n + 1, len(found) - 1)]
    alone = after.opname in {"PRECALL", "CALL", "BINARY_SUBSCR"} or after.argrepr == "[]"
    if text.opcode not in _CONSTANTS or not alone:
        return None  # put together when it runs
    return text.argval if isinstance(text.argval, str) else None


def _bytes_of(value: object) -> bytes:
    if isinstance(value, tuple):
        return b"tuple" + pack(*map(_bytes_of, value))
    if isinstance(value, frozenset):
        return b"set" + unordered(map(_bytes_of, value))
    known = atom(value)
    return repr(value).encode() if known is None else known


def _guarded(code: types.CodeType, place: _Place) -> list[tuple[int, int, int, int, bool]]:
    """The steps that each handler guards: (first, end, handler, depth, lasti)."""
    found: list[tuple[int, int, int, int, bool]] = []
    if not code.co_exceptiontable:
        return found
    for entry in getattr(dis.Bytecode(code), "exception_entries", ()):
        now = (place(entry.start), place(entry.end), place(entry.target), entry.depth, entry.lasti)
        if now[0] == now[1]:
            continue
        if found and found[-1][1] == now[0] and found[-1][2:] == now[2:]:
            found[-1] = (found[-1][0], *now[1:])
        else:
            found.append(now)
    return found


def sort_imports(steps: Sequence[_Step]) -> list[_Step]:
    """The steps with neighbouring import statements in the order of their content."""
    done: list[_Step] = []
    run: list[list[_Step]] = []
    n = 0
    while n < len(steps):
        end = _import_end(steps, n)
        if end:
            run.append(_sort_names(steps[n:end]))
            n = end
            continue
        done.extend(chain.from_iterable(sorted(run)))
        run = []
        done.append(steps[n])
        n += 1
    done.extend(chain.from_iterable(sorted(run)))
    return done


def _import_end(steps: Sequence[_Step], n: int) -> int:
    """Where the import statement that begins here ends; 0 where none begins."""
    if n + 3 >= len(steps) or steps[n + 2][0] != "IMPORT_NAME":
        return 0
    end = n + 3
    while end < len(steps) and steps[end][0] == "IMPORT_FROM":
        if (
            end + 2 < len(steps)
            and steps[end + 2][0] == "POP_TOP"
            and "STORE" not in steps[end + 1][0]
        ):
            end += 3  # import a.b as c: the last part stays, the package goes
        else:
            end += 2
    last = steps[end][0] if end < len(steps) else ""
    return end + 1 if last == "POP_TOP" or last.startswith("STORE_") else 0


def _sort_names(statement: Sequence[_Step]) -> list[_Step]:
    """``from m import b, a`` as ``from m import a, b``."""
    body = list(statement[3:-1])
    if statement[-1][0] != "POP_TOP" or any(s[0] != "IMPORT_FROM" for s in body[::2]):
        return list(statement)
    pairs = sorted(zip(body[::2], body[1::2], strict=True))
    # The list of names before IMPORT_NAME says the same in the order that was typed.
    return [statement[0], statement[2], *chain.from_iterable(pairs), statement[-1]]
