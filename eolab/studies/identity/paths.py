"""Files and folders by what is in them."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from urllib.parse import unquote

from eolab.studies.identity.atoms import atom, pack
from eolab.studies.identity.companions import companions

MOST_FILES = 100_000
MOST_LETTERS = 1024
MIN_LETTERS = 2
_MAGIC = re.compile(r"[*?]|\[.+\]")
_READERS = frozenset({"Path", "PurePath", "join", "joinpath", "glob", "iglob", "rglob", "listdir",
                      "scandir", "walk", "iterdir", "fromfile", "memmap",
                      "genfromtxt"})  # fmt: skip
_BESIDE = frozenset({"parent", "parents", "with_name", "with_stem", "with_suffix", "dirname",
                     "splitext"})  # fmt: skip
_SUFFIX = re.compile(r"\.\w{1,10}$")
_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")
_HOLES = re.compile(r"%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]|\{[^{}]*\}")
"""Places in text that a program fills: ``tiles/%s.tif``, ``tiles/{}.tif``."""
_WORDS = re.compile(r"""[^\s'"`,;()<>|&=]+""")
_QUOTED = re.compile(r"""(?<=['"`])[^'"`]+(?=['"`])""")
_COMMANDS = frozenset({"run", "call", "check_call", "check_output", "Popen", "system", "popen"})
_OPENED_BY = re.compile(
    r"^(?:file:(?://(?:localhost)?(?=/))?|[a-zA-Z][\w+.-]*://|(?:/vsi\w+/)+|[A-Z]\w+:)\"?"
)
"""What libraries that open files want before a path: ``file:``, ``zip://``, ``/vsizip/``."""
MOST_WORDS = 1_000


def is_url(value: object) -> bool:
    """Whether text is an address whose content nobody here knows."""
    return isinstance(value, str) and len(value) < 4096 and bool(_URL.match(value))


def named_path(text: str, *, folders: bool) -> Path | None:
    """The file (or folder) here that text names; None where it looks like none.

    Args:
        text: Some text.
        folders: Whether it may be a folder, as data and settings name them.
    """
    if not 2 < len(text) < 1024 or "\n" in text or "\0" in text:
        return None
    if os.sep not in text and not _SUFFIX.search(text):
        return None
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(mode):
        return path
    return path if folders and stat.S_ISDIR(mode) and not is_shared(path) else None


def is_shared(folder: Path) -> bool:
    """Whether a folder is where everything is (home, /tmp, here), or a workspace."""
    place = folder.resolve()
    shared = (Path.home(), Path(tempfile.gettempdir()), Path.cwd(), Path(place.anchor))
    return any(place == p.resolve() or place in p.resolve().parents for p in shared) or any(
        (place / name).exists() for name in ("eolab.toml", "workspace.json")
    )


def content(path: PurePath, *, links: bool = True) -> bytes | None:
    """A hash of what a path leads to; None where that cannot be read.

    A folder counts by names, sizes and content of its files; one where everything is, and a
    workspace, by its name alone, of which the caller has to tell. A path that leads nowhere counts
    by its text. With a file count those that it cannot be read without (see `companions`).

    Args:
        path: Of a file or folder.
        links: Whether folders that links in it lead to, and companions of a file, count: in version
            2 they did not.
    """
    place = Path(path)
    try:
        mode = place.stat().st_mode
    except (OSError, ValueError):
        return pack(b"nothing at", str(path).encode("utf-8", "surrogatepass"))
    try:
        if stat.S_ISREG(mode):
            parts = companions(place) if links else []
            more = [pack(p.name.encode("utf-8", "surrogatepass"), _hashed(p)) for p in parts]
            return pack(b"file", place.suffix.encode(), _hashed(place), *more)
        if stat.S_ISDIR(mode):
            return named(place) if is_shared(place) else _folder(place, links=links)
    except OSError:
        return None
    return None


def named(place: PurePath) -> bytes:
    """A place by its name alone."""
    return pack(b"place", str(place).encode("utf-8", "surrogatepass"))


@dataclass(frozen=True)
class Pattern:
    """A pattern of files: ``tiles/*.tif``."""

    text: str

    def content(self) -> bytes | None:
        """A hash of the files that it stands for now; None where they are too many."""
        found = sorted(islice(_matches(self.text), MOST_FILES + 1))
        if len(found) > MOST_FILES:
            return None
        parts = [pack(os.fsencode(path), content(path) or b"unread") for path in found]
        return pack(b"pattern", *parts)


def _matches(pattern: str) -> Iterator[Path]:
    start = Path(pattern).anchor
    try:
        yield from Path(start or ".").glob(str(Path(pattern).relative_to(start)))
    except (OSError, ValueError, NotImplementedError):
        return  # no pattern of files


def given_path(text: str, *, bare: bool) -> Path | Pattern | None:
    """What text names that is given as data or as a setting: a file, a folder or a pattern.

    Args:
        text: Some text.
        bare: Whether a name alone (``tiles``) may be one.
    """
    if not 0 < len(text) < MOST_LETTERS or "\n" in text or "\0" in text:
        return None
    if text.startswith("~/") or "$" in text:
        text = os.path.expandvars(os.path.expanduser(text))  # noqa: PTH111  `Path` cuts "//"
    looks = os.sep in text or bool(_SUFFIX.search(text)) or text in {".", ".."}
    if not (looks or bare):
        return None
    if looks and _MAGIC.search(text):
        above = Path(text[: text.index("**")]) if "**" in text else None
        if above is not None and above.is_dir() and is_shared(above):
            return above  # everything that is here would have to be looked through
        return Pattern(text) if next(_matches(text), None) is not None else None
    found = _there(text)
    if found is not None or not looks:
        return found
    if _HOLES.search(text):
        filled = _HOLES.sub("*", text)
        if filled.lstrip(os.sep).startswith("*"):
            return None  # it begins at what something else names
        return Pattern(filled) if next(_matches(filled), None) is not None else None
    return _opened(text)


def _opened(text: str) -> Path | None:
    """The file that a library opens: `zip://tiles.zip!a.tif`, `NETCDF:"a.nc":ndvi`."""
    start = _OPENED_BY.match(text)
    if start is None:
        return None
    for end in (None, "!", '"', ":"):
        rest = unquote(text[start.end() :]).strip("{}")
        rest = rest if end is None else rest.partition(end)[0]
        path = Path(rest)
        for place in (path, *path.parents) if rest else ():
            found = _there(str(place))
            if found is None:
                continue
            # Of an archive something inside is named; a folder is meant where nothing is between.
            if found.is_file() or (place == path and text.startswith("file:")):
                return found
            break
    return None


def paths_in_code(
    texts: Iterable[str], mentions: Collection[str], folders: Iterable[Path] = ()
) -> list[Path | Pattern]:
    """The files, folders and patterns that code names in its texts.

    Args:
        texts: Of the code.
        mentions: What it calls: a name alone is a path only where something reads paths.
        folders: Where relative paths may begin besides here.
    """
    reads = any(_reads(name) for name in mentions)
    commands = bool(_COMMANDS & set(mentions))
    found: list[Path | Pattern] = []
    texts = list(dict.fromkeys(texts))
    listed = [text for text in texts if len(text) < MOST_LETTERS]
    for text in texts:
        tried = [] if len(text) >= MOST_LETTERS else [text, *(str(f / text) for f in folders)]
        if len(text) < MIN_LETTERS or (not reads and os.sep not in text
                                       and not _SUFFIX.search(text)):  # fmt: skip
            tried = []
        for one in words(text, commands=commands):
            path = given_path(one, bare=False)
            # Files only: a message may name a folder of any size, and a comment begins with "/*".
            some = isinstance(path, Pattern) and _SUFFIX.search(one)
            if path is not None and (some or (isinstance(path, Path) and path.is_file())):
                found.append(path)
        for one in tried:
            path = given_path(one, bare=reads)
            if isinstance(path, Path) and is_shared(path):
                found += joined(path, listed)
            elif path is not None:
                found.append(path)
        found += beside(text, listed, mentions)
    return list(dict.fromkeys(found))


def words(text: str, *, commands: bool) -> list[str]:
    """What may be paths in a query or command: `FROM 'plots.parquet'`, `gdalwarp a.tif b.tif`.

    Args:
        text: Any text.
        commands: Whether it may be a command: else a file without its folder counts in quotes only,
            as messages name such, too.
    """
    found = dict.fromkeys(word for word in _WORDS.findall(text) if word != text)
    named = {*found} if commands else {*_QUOTED.findall(text)}
    return [w for w in found if os.sep in w or (w in named and _SUFFIX.search(w))][:MOST_WORDS]


def joined(folder: Path, texts: Iterable[str]) -> list[Path | Pattern]:
    """What texts name inside a folder where everything is."""
    tried = (given_path(str(folder / text), bare=True) for text in texts if len(text) > 1)
    return [p for p in tried if isinstance(p, Pattern) or (p is not None and not is_shared(p))]


def beside(
    place: str | PurePath, texts: Iterable[str], mentions: Collection[str]
) -> list[Path | Pattern]:
    """What texts name beside a file: `place.with_name("b.tif")`, `place.parent / "b.tif"`.

    Args:
        place: The path of a file.
        texts: Of the code.
        mentions: What it calls.
    """
    if not _BESIDE & set(mentions) or len(str(place)) > MOST_LETTERS or "\0" in str(place):
        return []
    path = Path(place)
    if not path.name or os.sep not in str(place):
        return []
    made = [path.parent / text for text in texts if 1 < len(text) < MOST_LETTERS]
    if "parents" in mentions:
        made += [above / text for above in path.parents[1:4] for text in texts if len(text) > 1]
    made += [path.with_suffix(text) for text in texts if _SUFFIX.fullmatch(text)]
    made += [
        path.with_name(text + path.suffix) for text in texts if text and text == Path(text).name
    ]
    tried = dict.fromkeys(given_path(str(each), bare=True) for each in made if each != path)
    return [p for p in tried if isinstance(p, Pattern) or (p is not None and not is_shared(p))]


def named_alike(file: Path, texts: Iterable[str]) -> list[Path]:
    """Files beside a module that have its name and an ending that is among the texts."""
    made = (file.with_suffix(text) for text in texts if _SUFFIX.fullmatch(text))
    return [path for path in dict.fromkeys(made) if path != file and path.is_file()]


def shared_folder(value: object) -> Path | None:
    """The folder where everything is that a value names; None for any other."""
    if isinstance(value, str):
        path = given_path(value, bare=False)
        return path if isinstance(path, Path) and path.is_dir() and is_shared(path) else None
    if isinstance(value, PurePath) and Path(value).is_dir() and is_shared(Path(value)):
        return Path(value)
    return None


def _reads(name: str) -> bool:
    return name in _READERS or name.startswith(("read", "load", "open", "imread", "from_file"))


def _there(text: str) -> Path | None:
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return path if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else None


def _folder(place: Path, *, links: bool) -> bytes | None:
    files = []
    entered = {place.resolve()}
    for root, folders, names in os.walk(place, followlinks=True):
        folders[:] = sorted(f for f in folders if f not in {"__pycache__", ".ipynb_checkpoints"})
        if links:
            for name in [f for f in folders if (Path(root) / f).is_symlink()]:
                target = (Path(root) / name).resolve()
                if any(target == each or target in each.parents for each in entered):
                    folders.remove(name)  # a circle
                entered.add(target)
        else:
            folders[:] = [f for f in folders if not (Path(root) / f).is_symlink()]
        files += [Path(root) / name for name in names]
        if len(files) > MOST_FILES:
            return None
    parts = []
    for file in sorted(files, key=lambda f: f.relative_to(place).as_posix()):
        if not stat.S_ISREG(file.stat().st_mode):
            continue
        known = atom(file.relative_to(place).as_posix()) or b""
        parts.append(pack(known, b"%d" % file.stat().st_size, _hashed(file)))
    return pack(b"folder", *parts)


def _hashed(file: Path) -> bytes:
    from blake3 import blake3

    return bytes(blake3().update_mmap(str(file)).digest())
