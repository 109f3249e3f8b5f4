"""What code writes to, so that a trial's own files are no data of the next.

A text is written to where it makes up, alone or with others, the path that a writing call is given:
`np.save("a.npy", x)`, `np.save(Path("out") / "a.npy", x)`, `OUT.joinpath("a.txt").write_text(t)`.
The instructions are followed as the interpreter would, with texts and names in place of values;
what goes another way (into a variable, past a jump) counts as read.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PATH_WRITERS = frozenset({"mkdir", "touch", "unlink", "write_text", "write_bytes"})
"""Methods of a path that write to it."""
_WRITING = frozenset({"w", "wb", "w+", "wt", "x", "xb"})
_APPENDING = frozenset({"a", "ab", "at"})
_WRITERS = frozenset({"makedirs", "mkdir", "touch", "unlink", "rmtree", "CSVLogger",
                      "ModelCheckpoint", "TensorBoard", "SummaryWriter", "FileHandler",
                      "save", "savez", "savez_compressed", "savetxt", "savefig", "imsave",
                      "save_model", "dump", "tofile", "to_csv", "to_parquet", "to_feather",
                      "to_pickle", "to_json", "to_excel", "to_hdf", "to_netcdf", "to_zarr",
                      "to_file", "to_raster", "to_xml", "to_html", "to_stata",
                      "to_orc"})  # fmt: skip
_MAKERS = frozenset({"Path", "PurePath", "PosixPath", "join", "joinpath", "str", "fspath",
                     "abspath", "expanduser", "resolve", "absolute", "with_suffix", "with_name",
                     "with_stem", "as_posix", "format"})  # fmt: skip
"""Calls that make a path of what they are given, or of what they belong to, and read nothing."""
_CONSTANTS = frozenset(dis.hasconst)
_MARKS = frozenset({"NOP", "CACHE", "EXTENDED_ARG", "PRECALL", "RESUME", "KW_NAMES", "NOT_TAKEN"})
"""Instructions that leave the values alone."""


def is_writer(name: str, *, method: bool) -> bool:
    """Whether a function of that name writes to the path that it is given, and does not read it.

    Args:
        name: The name that is called.
        method: Whether of something (`frame.to_csv`): a bare name may be the user's own function,
            which reads what it likes.
    """
    return name in _WRITERS or (method and name.startswith(("save_", "write_", "dump_")))


def is_writing(mode: object, *, method: bool) -> bool:
    """Whether what is opened in a mode is written only.

    Args:
        mode: Second argument of `open`.
        method: Whether of something: `zarr.open(path, "a")` reads, too.
    """
    return isinstance(mode, str) and mode in (_WRITING if method else _WRITING | _APPENDING)


# -- in the instructions of a function ---------------------------------------------------------


@dataclass(frozen=True)
class _Value:
    """What stands for a value: a name, a text, or what a path is made of.

    Attributes:
        parts: Numbers of the instructions that loaded what it is made of.
        name: What it was read as; "" for what has no name.
        method: Whether that was read from something.
        text: The constant that it is.
    """

    parts: frozenset[int] = frozenset()
    name: str = ""
    method: bool = False
    text: object = None


_UNKNOWN = _Value()


def written_parts(found: Sequence[dis.Instruction]) -> frozenset[int]:
    """The numbers of the instructions that load only what makes up a path that is written to."""
    written: set[int] = set()
    stack: list[_Value] = []

    def pop(count: int = 1) -> list[_Value]:
        taken = stack[max(0, len(stack) - count) :] if count else []
        del stack[len(stack) - len(taken) :]
        return [_UNKNOWN] * (count - len(taken)) + taken

    for n, i in enumerate(found):
        name, count = i.opname, i.arg or 0
        if i.is_jump_target:
            stack.clear()
        if name in _MARKS:
            continue
        if i.opcode in _CONSTANTS:
            stack.append(_Value(frozenset({n}), text=i.argval))
        elif name in {"LOAD_GLOBAL", "LOAD_NAME"}:
            empty = [_UNKNOWN] if name == "LOAD_GLOBAL" and count & 1 else []
            stack += [*empty, _Value(frozenset({n}), str(i.argval))]
        elif name in {"LOAD_METHOD", "LOAD_ATTR"}:
            (owner,) = pop()
            # What is read of a path is one no more, but a method makes of it what its name says.
            stack.append(_Value(owner.parts, str(i.argval), method=True))
            called = dis.stack_effect(i.opcode, i.arg, jump=False) == 1
            stack += [_UNKNOWN] if called else []
        elif name in {"CALL", "CALL_KW"}:
            if name == "CALL_KW":
                pop()
            given = pop(count)
            function = next((v for v in pop(2) if v.name), _UNKNOWN)
            written |= _written_by(function, given)
            stack.append(_made_by(function, given))
        elif name == "BINARY_OP":
            stack.append(_Value(_joined(pop(2))))
        elif name == "BUILD_STRING":
            stack.append(_Value(_joined(pop(count))))
        elif name in {"FORMAT_VALUE", "FORMAT_SIMPLE", "CONVERT_VALUE"}:
            (value, *_) = pop(2 if name == "FORMAT_VALUE" and count & 4 else 1)
            stack.append(_Value(value.parts))
        else:
            effect = dis.stack_effect(
                i.opcode, i.arg if i.opcode >= dis.HAVE_ARGUMENT else None, jump=False
            )
            if name in {"COPY", "SWAP"}:
                stack[:] = [_UNKNOWN] * len(stack)  # it goes two ways
            popped = max(0, -effect)
            if not name.startswith(("STORE_", "POP_", "DELETE_", "LOAD_", "PUSH_", "COPY", "SWAP")):
                popped, effect = popped + 1, max(effect, 0) + 1  # what it makes of them
            pop(popped)
            stack += [_UNKNOWN] * max(0, effect)
    return frozenset(written)


def _joined(values: Sequence[_Value]) -> frozenset[int]:
    return frozenset().union(*(value.parts for value in values))


def _made_by(function: _Value, given: Sequence[_Value]) -> _Value:
    """The result of a call: a path, or nothing that is known."""
    if function.name not in _MAKERS:
        return _UNKNOWN
    owner = function.parts if function.method else frozenset[int]()
    return _Value(owner | _joined(given))


def _written_by(function: _Value, given: Sequence[_Value]) -> frozenset[int]:
    """What makes up the path that a call writes to, and the owner of its method."""
    name, method = function.name, function.method
    owner = function.parts if name in PATH_WRITERS and method else frozenset[int]()
    if owner or is_writer(name, method=method):
        return owner | _joined(given[:2])
    if name != "open":
        return frozenset()
    if len(given) > 1 and is_writing(given[1].text, method=method):
        return given[0].parts
    alone = method and bool(given) and is_writing(given[0].text, method=False)
    return function.parts | given[0].parts if alone else frozenset()


# -- in the source of a module -----------------------------------------------------------------


def written_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The texts that make up the path that a call writes to."""
    if not isinstance(node, ast.Call):
        return
    name = _last(node.func)
    modes = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "mode")]
    method = isinstance(node.func, ast.Attribute)
    writes = any(isinstance(m, ast.Constant) and is_writing(m.value, method=method) for m in modes)
    if is_writer(name, method=method) or (name == "open" and writes):
        for each in node.args:
            yield from _path_nodes(each)
    opens = name == "open" and bool(node.args) and isinstance(node.args[0], ast.Constant)
    if isinstance(node.func, ast.Attribute) and (
        name in PATH_WRITERS
        or (opens and is_writing(getattr(node.args[0], "value", None), method=False))
    ):
        yield from _path_nodes(node.func.value)


def _path_nodes(node: ast.expr) -> Iterator[ast.AST]:
    """The texts of which an expression makes a path."""
    if isinstance(node, ast.Constant):
        yield node
    elif isinstance(node, ast.BinOp):
        yield from _path_nodes(node.left)
        yield from _path_nodes(node.right)
    elif isinstance(node, ast.JoinedStr):
        yield from (each for each in node.values if isinstance(each, ast.Constant))
    elif isinstance(node, ast.Call) and _last(node.func) in _MAKERS:
        for each in node.args:
            yield from _path_nodes(each)
        if isinstance(node.func, ast.Attribute):
            yield from _path_nodes(node.func.value)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
