"""Which login an item is read by.

An item from a search carries a reference to its source (`FIELD` among its own fields): workspace
and catalogue, nothing secret. The login is looked up where the item is used, in `eolab.toml` as it
is then. So two workspaces may call different catalogues by one name, and each item is read by the
login of its own. The field is an ordinary one of STAC: it stays with the item through `clone`,
pickles, item collections and JSON. What eolab itself writes (downloads, indexes) leaves it out.

An item without it (a file, a hand-written one), or whose workspace is not known here, is matched by
its addresses: where exactly one catalogue of the workspace that counts here has the item below its
root, that one's login is taken; else none.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.io.logins import SourceLogin, SourceRef, held, lies_under, origin, root_of
from eolab.errors import ConfigError
from eolab.settings import config as configuration

if TYPE_CHECKING:
    import pystac

    from eolab.settings.config import CatalogConfig, Config

FIELD = "eolab:source"  # field of an item: the catalogue that it is from, as WORKSPACE/CATALOGUE
_NO_ID = "folder"  # in place of the id of a workspace that has none
_SETTLED = 50_000_000  # nanoseconds after which a file's time tells whether it changed
_opened: dict[str, Config] = {}  # workspaces of this process, by their id in references
_read: dict[Path, tuple[tuple[int, int, int], Config]] = {}
_logins: dict[tuple[int, str], tuple[Config, SourceLogin]] = {}
_MOST = 256  # of those that are kept
_lock = threading.Lock()


def workspace_key(config: Config) -> str:
    """A workspace's id in references.

    A copied folder has the id of its original, and two files may name one folder: the file, too,
    tells them apart.
    """
    identity = _NO_ID
    if config.root.is_dir():  # a search does not make the folder
        with contextlib.suppress(OSError):  # one that cannot be written to
            identity = config.identity()
    place = str(config.file or config.root)
    return f"{identity}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def reference(config: Config, entry: CatalogConfig) -> SourceRef:
    """The reference that items of a configured catalogue carry; its workspace is known from now on.

    Args:
        config: The workspace.
        entry: One of its catalogues.
    """
    key = workspace_key(config)
    with _lock:
        _opened[key] = config
    return SourceRef(key, entry.name)


def entry_at(config: Config, address: str) -> CatalogConfig | None:
    """The one configured catalogue below whose root an address lies; None for none or several.

    Of roots inside of each other the innermost counts.
    """
    found = _entries_at(config, address)
    return found[0] if len(found) == 1 else None


def login_of_entry(config: Config, entry: CatalogConfig) -> SourceLogin | None:
    """The login of a configured catalogue; None where it is open."""
    if not entry.login:
        return None
    # Each band of each item asks; what is configured stays the same object until it changes.
    key = id(config), entry.name
    known = _logins.get(key)
    if known is None or known[0] is not config:
        known = config, _login(reference(config, entry), config, entry)
        with _lock:
            if len(_logins) >= _MOST:
                _logins.clear()
            _logins[key] = known
    return known[1]


def mark(item: pystac.Item, ref: SourceRef) -> None:
    """Note on an item which source it is from."""
    item.extra_fields[FIELD] = str(ref)


def ref_of(item: pystac.Item) -> SourceRef | None:
    """What an item says of its source; None where it says nothing that can be read."""
    said = item.extra_fields.get(FIELD)
    if not isinstance(said, str) or not said:
        return None
    # Before references named the workspace, they were the catalogue's name alone.
    workspace, _, catalog = said.rpartition("/")
    return SourceRef(workspace, catalog)


def login_of(item: pystac.Item) -> SourceLogin | None:
    """The login by which an item's files are read; None where it is read without one.

    Raises:
        ConfigError: The `eolab.toml` that counts here has a fault.
    """
    ref = ref_of(item)
    config = None if ref is None else _config_of(ref)
    if config is not None and ref is not None:
        entry = config.catalogs.get(ref.catalog)
        if entry is not None:
            return login_of_entry(config, entry)
    # A catalogue that was renamed is found in its own workspace, by its address.
    return _matched(item, config)


def refusal_hint(address: str, login: SourceLogin | None) -> str:
    """What to do where an address was refused (401, 403).

    Args:
        address: What was asked for.
        login: By which it was asked for.
    """
    if login is not None and (login.covers(address) or not address.startswith("http")):
        return f"Check the login of catalogue {login.name!r} in eolab.toml."
    found = [(config, entry) for config in _known() for entry in _entries_at(config, address)]
    named = [(config, entry) for config, entry in found if entry.login]
    if len(named) > 1:
        where = " and ".join(_place(config, entry) for config, entry in named)
        return (
            f"{where} have logins for this address, and the item does not say which it is from: "
            "search the right one, its items carry the login."
        )
    if named:
        return (
            f"{_place(*named[0])} has a login for this address: search it, its items carry the "
            "login; items that came otherwise get it where EOLAB_WORKSPACE names its workspace."
        )
    if found:
        name = found[0][1].name
        return (
            f'{_place(*found[0])} has no login: give it one, as token = "env:NAME" below '
            f"[catalogs.{name}] in eolab.toml."
        )
    own = "" if login is None else f"The login of catalogue {login.name!r} is for its own host. "
    return (
        f"{own}If this address needs a login, name its catalogue in eolab.toml, as "
        '[catalogs.NAME] with url and token = "env:NAME".'
    )


def is_refusal(message: str) -> bool:
    """Whether GDAL's words say that a server wants a login, or another one."""
    return any(word in message for word in _REFUSED)


_REFUSED = (
    "response code: 401", "response code: 403", "AccessDenied", "Access Denied", "Forbidden",
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidCredentials", "AWS_SECRET_ACCESS_KEY",
)  # fmt: skip


def _place(config: Config, entry: CatalogConfig) -> str:
    return f"Catalogue {entry.name!r} of {config.file or config.root}"


def _login(ref: SourceRef, config: Config, entry: CatalogConfig) -> SourceLogin:
    others = {
        root_of(other.url)
        for other in config.catalogs.values()
        if other.login and other.name != entry.name and origin(other.url) == origin(entry.url)
    }
    return held(ref, entry.url, entry.login, tuple(sorted(others)))


def _matched(item: pystac.Item, config: Config | None) -> SourceLogin | None:
    addresses = list(_addresses(item))
    if not addresses:
        return None
    if config is None:
        config = _current()
    found = {entry.name: entry for a in addresses for entry in _entries_at(config, a)}
    return login_of_entry(config, next(iter(found.values()))) if len(found) == 1 else None


def _addresses(item: pystac.Item) -> Iterator[str]:
    """Where an item and its files lie, if a login could be of use: some lie elsewhere."""
    hrefs = [asset.href for asset in item.assets.values()]
    if any("://" in href or href.startswith("/vsi") for href in hrefs):
        # Its files lie in a folder or two.
        yield from dict.fromkeys(href.partition("?")[0].rpartition("/")[0] for href in hrefs)
        # Of objects in a store only the item's own address tells the catalogue.
        if own := item.get_self_href():
            yield own


def _entries_at(config: Config, address: str) -> list[CatalogConfig]:
    """Configured catalogues below whose root an address lies: those with the innermost one."""
    roots = {name: root_of(entry.url) for name, entry in config.catalogs.items()}
    fitting = [name for name, root in roots.items() if lies_under(address, root)]
    longest = max((len(roots[name]) for name in fitting), default=0)
    return [config.catalogs[name] for name in fitting if len(roots[name]) == longest]


def _config_of(ref: SourceRef) -> Config | None:
    """What is configured in a reference's workspace now; None where it is not known here."""
    if not ref.workspace:
        return _current()
    with _lock:
        config = _opened.get(ref.workspace)
    if config is None:
        config = _current()
        key = workspace_key(config)
        identity = ref.workspace.rpartition("-")[0]
        if key != ref.workspace:
            # Moved, or on another machine: the same workspace, as long as there is only one.
            with _lock:
                same = [c for k, c in _opened.items() if k.rpartition("-")[0] == identity]
            if key.rpartition("-")[0] == identity and config not in same:
                same.append(config)
            if identity == _NO_ID or len(same) != 1:
                return None
            config = same[0]
    return _as_it_is(config)


def _known() -> Iterable[Config]:
    with _lock:
        opened = [_as_it_is(config) for config in _opened.values()]
    try:
        current = _current()
    except ConfigError:
        return opened
    return [current, *(config for config in opened if config.root != current.root)]


def _current() -> Config:
    """The workspace that counts here.

    Raises:
        ConfigError: Its file has a fault.
    """
    file = configuration.find_file()
    return configuration.find() if file is None else _loaded(file)


def _as_it_is(config: Config) -> Config:
    """A workspace as its file says now; as it was where the file is gone or has a fault."""
    if config.file is None:
        return config
    try:
        return _loaded(config.file)
    except ConfigError:
        return config


def _loaded(file: Path) -> Config:
    """A file's content, read again when it changed: many items ask for it one by one."""
    try:
        status = file.stat()
    except OSError:
        return configuration.load(file)  # it says what is wrong
    version = status.st_mtime_ns, status.st_size, status.st_ino
    known = _read.get(file)
    if known is not None and known[0] == version:
        return known[1]
    config = configuration.load(file)
    # A file that changes twice within the clock's step looks the same.
    if time.time_ns() - status.st_mtime_ns > _SETTLED:
        _read[file] = version, config
    return config
