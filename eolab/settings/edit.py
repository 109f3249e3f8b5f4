"""Changes to `eolab.toml` that keep what people wrote in it, comments too."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import threading
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack
from urllib.parse import urlsplit

from eolab.errors import ConfigError, ConflictError, InvalidInputError, NotFoundError, nearest
from eolab.files import locks, writes
from eolab.settings import config as configuration
from eolab.settings import logins, toml_tables
from eolab.settings.config import FILE, FORMAT, Config, check_name

KINDS = ("auto", "api", "static", "geoparquet")
LONGEST = 2_000
ROOTS = ("catalog.json", "collection.json")
RASTERS = (".tif", ".tiff", ".jp2", ".nc", ".vrt", ".img", ".zarr")
LOOKED_AT = 2_000  # files of a folder that is no catalogue
_REFERENCE = re.compile(r"^(env:\w+|keyring:[^\s/]+/\S+)$")
_TRIES = 20  # while an editor saves the file again and again
_lock = threading.Lock()


class LoginOptions(TypedDict, total=False):
    """How a catalogue lets us in.

    Secrets are named ("env:NAME", "keyring:SERVICE/USER"), never given; `eolab.settings.logins`
    says what each key means.
    """

    token: str
    sign: str
    headers: Mapping[str, str]
    client_id: str
    client_secret: str
    token_url: str
    scope: str
    s3: Mapping[str, object]


class CatalogOptions(LoginOptions, total=False):
    """What may be said of a catalogue beside its name and address.

    ``kind`` is one of `KINDS`, ``description`` one line for the panel; keys of the login stand in
    ``login`` or each on its own.
    """

    kind: str
    description: str
    login: LoginOptions | Mapping[str, object] | None


def add_catalog(
    config: Config,
    start: Path,
    *,
    name: str,
    url: str,
    **options: Unpack[CatalogOptions],
) -> Config:
    """Name a catalogue in the workspace's `eolab.toml`, which is made where there is none.

    Args:
        config: The workspace as it is now.
        start: Folder in which `eolab.toml` is made where none counts.
        name: What users will call it.
        url: http(s) address, or a path of this machine: absolute, or relative to the file.
        **options: Kind, description and login (see `CatalogOptions`).

    Returns:
        The configuration with it. The same catalogue again changes nothing.

    Raises:
        InvalidInputError: A name, address or login that cannot be used.
        ConflictError: The name is taken by another address, or the file cannot be written.
    """
    check_name(name, "catalogue")
    with _lock:
        file = config.file or (config.root if _named() else start) / FILE
        address = _checked(url, file.parent)
        table = _table(url, options)
        known = config.catalogs.get(name)
        if known is not None:
            if known.url == address:
                return config
            raise ConflictError(
                f"there is a catalogue {name!r} already: {known.url}", "Take another name."
            )
        return _write(file, config, lambda text: toml_tables.add_table(text, _path(name), table))


def change_catalog(
    config: Config,
    *,
    name: str,
    url: str,
    **options: Unpack[CatalogOptions],
) -> Config:
    """Say an own catalogue of `eolab.toml` otherwise, in its place; all of it is said anew.

    Args:
        config: The workspace as it is now.
        name: Which one; a name stays.
        url: As in `add_catalog`, and so the others.
        **options: As in `add_catalog`; what is not given is dropped.

    Raises:
        NotFoundError: No such catalogue.
        InvalidInputError: An address or login that cannot be used.
        ConflictError: It came with eolab, or the file cannot be changed.
    """
    with _lock:
        file = _file_of(config, name)
        _checked(url, file.parent)
        table = _table(url, options)
        return _write(file, config, lambda text: toml_tables.change_table(text, _path(name), table))


def remove_catalog(config: Config, name: str, *, secrets: bool = False) -> RemovalResult:
    """Take an own catalogue out of `eolab.toml`; files stay, those that it names too.

    Args:
        config: The workspace as it is now.
        name: Which one.
        secrets: Delete from the system's key store, too, what only this catalogue names there.

    Raises:
        NotFoundError: No such catalogue.
        ConflictError: It came with eolab, or the file cannot be changed.
    """
    with _lock:
        file = _file_of(config, name)
        was = read_catalog(config, name)
        named = secrets_of(config, name) if secrets else []
        after = _write(file, config, lambda text: toml_tables.drop_table(text, _path(name)))
    removed, left = [], []
    for reference in named:
        try:
            if logins.delete_secret(reference):
                removed.append(reference)
        except InvalidInputError as error:
            left.append(f"{reference}: {error.message}")
    return RemovalResult(after, was, removed, left)


@dataclass(frozen=True, repr=False)
class RemovalResult:
    """A catalogue that is no longer named.

    Attributes:
        config: The configuration without it.
        was: What `add_catalog` takes to name it again: ``name``, ``url``, ``kind``,
            ``description``, ``login``.
        secrets: References of what was deleted from the key store.
        left: What could not be deleted there, and why.
    """

    config: Config
    was: Mapping[str, object]
    secrets: Sequence[str]
    left: Sequence[str]

    def __repr__(self) -> str:
        deleted = f"; deleted from the key store: {', '.join(self.secrets)}" if self.secrets else ""
        left = f"; still there: {', '.join(self.left)}" if self.left else ""
        return f"<catalogue {self.was['name']!r} is no longer named{deleted}{left}>"


def read_catalog(config: Config, name: str) -> dict[str, object]:
    """An own catalogue as the file says it, in the arguments of `add_catalog`.

    Raises:
        NotFoundError: No such catalogue.
        ConflictError: It came with eolab, or the file is not to be read.
    """
    file = _file_of(config, name)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8-sig"))["catalogs"][name]
    except (OSError, ValueError, KeyError) as error:
        raise ConflictError(
            f"{file} cannot be read: {error}", "Mend it, then try again."
        ) from error
    return {
        "name": name,
        "url": table["url"],
        "kind": table.get("kind", "auto"),
        "description": table.get("description", ""),
        "login": {key: table[key] for key in logins.KEYS if key in table},
    }


def secrets_of(config: Config, name: str) -> list[str]:
    """References to the key store that this catalogue names and no other of the workspace."""
    entry = config.catalogs[name]
    others = {
        reference
        for other in config.catalogs.values()
        if other.name != name
        for reference in logins.references(other.login)
    }
    own = dict.fromkeys(logins.references(entry.login))
    return [r for r in own if r.startswith("keyring:") and r not in others]


def _path(name: str) -> tuple[str, str]:
    return ("catalogs", name)


def _file_of(config: Config, name: str) -> Path:
    """The file that names an own catalogue.

    Raises:
        NotFoundError: No such catalogue.
        ConflictError: It comes with eolab.
    """
    if name not in config.catalogs:
        raise NotFoundError(
            f"no catalogue {name!r}", nearest(name, list(config.catalogs), "catalogues")
        )
    if name in configuration.built_in(config) or config.file is None:
        raise ConflictError(
            f"the catalogue {name!r} comes with eolab",
            "What was added can be changed and removed.",
        )
    return config.file


def _table(url: str, options: CatalogOptions) -> dict[str, object]:
    """A catalogue's table, without what is empty."""
    kind, description = options.get("kind", "auto"), options.get("description", "")
    if kind not in KINDS:
        raise InvalidInputError(f"kind = {kind!r}", f"Give one of: {', '.join(KINDS)}.")
    rest = {k: v for k, v in options.items() if k not in {"kind", "description", "login"}}
    given = {k: v for k, v in {**(options.get("login") or {}), **rest}.items() if v}
    _check_login(given)
    wanted: dict[str, object] = {
        "url": url.strip(),
        "kind": "" if kind == "auto" else kind,
        "description": " ".join(description.split()),
    }
    return {key: value for key, value in {**wanted, **given}.items() if value}


def _check_login(given: Mapping[str, object]) -> None:
    """What a form says of a login.

    Raises:
        InvalidInputError: An unknown key, a secret in plain text, or half of a login.
    """
    for key in given:
        if key not in logins.KEYS:
            raise InvalidInputError(f"a login has no {key!r}", f"It has: {', '.join(logins.KEYS)}.")
    token = given.get("token")
    if token is not None and not (isinstance(token, str) and _REFERENCE.match(token)):
        raise InvalidInputError(
            "the token must not stand in the file",
            "Put it into an environment variable (env:NAME) or the key store"
            " (keyring:SERVICE/USER) and name that.",
        )
    if len(json.dumps(given)) > LONGEST:
        raise InvalidInputError("the login is too long", f"At most {LONGEST} characters.")
    s3 = given.get("s3")
    urls = [given.get("token_url"), s3.get("endpoint") if isinstance(s3, Mapping) else None]
    for url in urls:
        logins.check_address(str(url or ""), "the form")
        if url and urlsplit(str(url)).scheme not in ("http", "https"):
            raise InvalidInputError(f"{url!r} is no web address", "Give https://HOST/PATH.")
    logins.parse(given, "the form")


def _named() -> bool:
    return bool(os.environ.get("EOLAB_WORKSPACE"))


def _checked(url: str, folder: Path) -> str:
    """The address as the configuration will read it.

    Raises:
        InvalidInputError: It is neither an http(s) address nor a path where something is.
    """
    url = url.strip()
    if not url or len(url) > LONGEST or any(ord(c) < 32 for c in url):
        raise InvalidInputError("the address is empty or holds odd characters", "Type it again.")
    if "://" not in url:
        try:
            path = (folder / Path(url).expanduser()).resolve()
            there = path.exists()
        except (OSError, ValueError, RuntimeError) as error:  # too long, ~nobody, odd characters
            raise InvalidInputError(
                f"no file can be called that: {error}", "Type it again."
            ) from error
        if not there:
            raise InvalidInputError(
                f"there is no {path} on the machine of the server",
                "Give a folder, a catalog.json or a .parquet file, or an address with https://.",
            )
        if path.is_file() and path.suffix.lower() in RASTERS:
            raise InvalidInputError(f"{path.name} is a raster, no catalogue", ingest_hint(path))
        if path.is_dir() and not any((path / name).is_file() for name in ROOTS):
            raise InvalidInputError(
                f"{path} holds no {' or '.join(ROOTS)}: it is no STAC catalogue", ingest_hint(path)
            )
        return str(path)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidInputError(
            f"that is no address: {error}", "Give https://HOST/PATH."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInputError(f"{parts.scheme}:// cannot be searched", "Give https://HOST/PATH.")
    if parts.username or parts.password:
        raise InvalidInputError(
            "the address holds a login", "Leave it out, and name where the token is instead."
        )
    logins.check_address(url, "the form")
    return url


def ingest_hint(path: Path) -> str:
    """What makes a catalogue of a folder of rasters, or of one of them.

    Args:
        path: The folder or file.
    """
    hint = "Name the folder of a STAC catalogue."
    count = 0
    if path.is_file():
        count = int(path.suffix.lower() in RASTERS)
    else:
        try:
            # Enough to tell: an archive is not walked through for a hint.
            for inner in itertools.islice(path.rglob("*"), LOOKED_AT):
                count += inner.suffix.lower() in RASTERS
        except OSError:
            return hint
    if not count:
        return hint
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip("-._") or "mine"
    many = "1 raster here is" if count == 1 else f"{count} rasters here are"
    return (
        f"{many} described by eolab.ingest({str(path)!r}, to={name!r}); the catalogue then has that"
        " name."
    )


def _write_once(file: Path, config: Config, change: Callable[[str], str]) -> None:
    before = writes.content(file)
    with writes.draft(file, instead_of=before) as trial:
        if before is None:
            root = json.dumps("." if config.root == file.parent else str(config.root))
            text = f"format = {FORMAT}\n\n[workspace]\npath = {root}\n"
        else:
            # As bytes: line ends stay as they are.
            text = before.decode("utf-8-sig")
        trial.write_bytes(change(text).encode())
        if before is not None:
            trial.chmod(file.stat().st_mode)
        made = configuration.load(trial)  # a fault must not reach the file
        if made.root != config.root:
            raise ConflictError(f"{file} names another workspace", "Restart Jupyter Server.")


def _write(file: Path, config: Config, change: Callable[[str], str]) -> Config:
    """Change the file's text as a whole, or not at all; two processes take turns.

    An editor takes no turns: what it saves meanwhile is read again, and changed in its place.
    """
    file = file.resolve()
    try:
        with locks.locked_folder(file.parent):
            for _ in range(_TRIES):
                with contextlib.suppress(writes.Changed):
                    _write_once(file, config, change)
                    break
            else:
                raise ConflictError(
                    f"{file} is being changed by another program", "Close it there, then try again."
                )
    except ConfigError as error:
        raise ConflictError(f"{file} cannot be changed: {error.message}", error.hint) from error
    except OSError as error:
        raise ConflictError(
            f"{file} cannot be written: {error.strerror}", "Make room, or check its permissions."
        ) from error
    except ValueError as error:  # no TOML, or a table that is written in an unusual way
        raise ConflictError(
            f"{file} cannot be changed: {error}", "Change it in an editor."
        ) from error
    return configuration.load(file)
