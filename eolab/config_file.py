"""Changes to `eolab.toml` that keep what people wrote in it, comments too."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from eolab import config as configuration
from eolab import logins
from eolab.config import FILE, FORMAT, Config, check_name
from eolab.errors import BadInput, ConfigError, Conflict

KINDS = ("auto", "api", "static", "geoparquet")
LONGEST = 2_000
_REFERENCE = re.compile(r"^(env:\w+|keyring:[^\s/]+/\S+)$")
_lock = threading.Lock()


def add_catalog(
    config: Config,
    start: Path,
    *,
    name: str,
    url: str,
    kind: str = "auto",
    description: str = "",
    login: Mapping[str, object] | None = None,
    **plain: str,
) -> Config:
    """Name a catalogue in the workspace's `eolab.toml`, which is made where there is none.

    Args:
        config: The workspace as it is now.
        start: Folder in which `eolab.toml` is made where none counts.
        name: What users will call it.
        url: http(s) address, or a path of this machine: absolute, or relative to the file.
        kind: One of `KINDS`.
        description: One line for the panel.
        login: How it lets us in, by the keys of `eolab.logins`: ``token``, ``sign``, ``headers``,
            ``client_id``, ``client_secret``, ``token_url``, ``scope``, ``s3``. Secrets are named
            ("env:NAME", "keyring:SERVICE/USER"), never given.
        **plain: Such keys, each on its own.

    Returns:
        The configuration with it. The same catalogue again changes nothing.

    Raises:
        BadInput: A name, address or login that cannot be used.
        Conflict: The name is taken by another address, or the file cannot be written.
    """
    check_name(name, "catalogue")
    if kind not in KINDS:
        raise BadInput(f"kind = {kind!r}", f"Give one of: {', '.join(KINDS)}.")
    with _lock:
        file = config.file or (config.root if _named() else start) / FILE
        address = _checked(url, file.parent)
        known = config.catalogs.get(name)
        if known is not None:
            if known.url == address:
                return config
            raise Conflict(
                f"there is a catalogue {name!r} already: {known.url}", "Take another name."
            )
        given = {key: value for key, value in {**(login or {}), **plain}.items() if value}
        _check_login(given)
        wanted: dict[str, object] = {
            "kind": "" if kind == "auto" else kind,
            "description": " ".join(description.split()),
        }
        table = {"url": url.strip(), **wanted, **given}
        return _append(file, config, f"catalogs.{name}", {k: v for k, v in table.items() if v})


def _check_login(given: Mapping[str, object]) -> None:
    """What a form says of a login.

    Raises:
        BadInput: An unknown key, a secret in plain text, or half of a login.
    """
    for key in given:
        if key not in logins.KEYS:
            raise BadInput(f"a login has no {key!r}", f"It has: {', '.join(logins.KEYS)}.")
    token = given.get("token")
    if token is not None and not (isinstance(token, str) and _REFERENCE.match(token)):
        raise BadInput(
            "the token must not stand in the file",
            "Put it into an environment variable (env:NAME) or the key store"
            " (keyring:SERVICE/USER) and name that.",
        )
    if len(json.dumps(given)) > LONGEST:
        raise BadInput("the login is too long", f"At most {LONGEST} characters.")
    s3 = given.get("s3")
    urls = [given.get("token_url"), s3.get("endpoint") if isinstance(s3, Mapping) else None]
    for url in urls:
        if url and urlsplit(str(url)).scheme not in ("http", "https"):
            raise BadInput(f"{url!r} is no web address", "Give https://HOST/PATH.")
    logins.parse(given, "the form")


def _named() -> bool:
    return bool(os.environ.get("EOLAB_WORKSPACE"))


def _checked(url: str, folder: Path) -> str:
    """The address as the configuration will read it.

    Raises:
        BadInput: It is neither an http(s) address nor a path where something is.
    """
    url = url.strip()
    if not url or len(url) > LONGEST or any(ord(c) < 32 for c in url):
        raise BadInput("the address is empty or holds odd characters", "Type it again.")
    if "://" not in url:
        path = (folder / Path(url).expanduser()).resolve()
        if not path.exists():
            raise BadInput(
                f"there is no {path} on the machine of the server",
                "Give a folder, a catalog.json or a .parquet file, or an address with https://.",
            )
        return str(path)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput(f"{parts.scheme}:// cannot be searched", "Give https://HOST/PATH.")
    if parts.username or parts.password:
        raise BadInput(
            "the address holds a login", "Leave it out, and name where the token is instead."
        )
    return url


def _append(file: Path, config: Config, key: str, table: Mapping[str, object]) -> Config:
    """Write a table below what the file holds: TOML lets tables stand in any order."""
    file = file.resolve()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        root = json.dumps("." if config.root == file.parent else str(config.root))
        text = f"format = {FORMAT}\n\n[workspace]\npath = {root}\n"
    lines = [f"{name} = {_toml(value)}" for name, value in table.items()]
    gap = "\n" if text.endswith("\n") else "\n\n"
    after = f"{text}{gap}[{key}]\n" + "\n".join(lines) + "\n"
    trial = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        trial.write_text(after, encoding="utf-8")
        if file.exists():
            trial.chmod(file.stat().st_mode)
        made = configuration.load(trial)  # a fault must not reach the file
        if made.root != config.root:
            raise Conflict(f"{file} names another workspace", "Restart Jupyter Server.")
        trial.replace(file)
    except ConfigError as error:
        raise Conflict(f"{file} cannot be changed: {error.message}", error.hint) from error
    except OSError as error:
        raise Conflict(
            f"{file} cannot be written: {error.strerror}", "Check its permissions."
        ) from error
    finally:
        trial.unlink(missing_ok=True)
    return configuration.load(file)


def _toml(value: object) -> str:
    """A text, a truth or a table of them in one line; JSON's escapes are TOML's."""
    if isinstance(value, Mapping):
        inner = (f"{json.dumps(str(key))} = {_toml(part)}" for key, part in value.items())
        return "{" + ", ".join(inner) + "}"
    return json.dumps(value, ensure_ascii=False)
