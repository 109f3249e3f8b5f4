"""How a catalogue lets us in: what `eolab.toml` says of it, and where the secrets are.

A secret never stands in the file: it is named there as `env:NAME` (an environment variable) or
`keyring:SERVICE/USER` (the system's key store) and read when it is needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from eolab.errors import ConfigError, InvalidInputError, nearest
from eolab.redaction import note_secret, secrets_of_address
from eolab.user_warnings import warn

# Keys of a catalogue's table in `eolab.toml` that say how it lets us in, with their types.
KEYS: Mapping[str, type] = {
    "headers": dict,
    "token": str,
    "client_id": str,
    "client_secret": str,
    "token_url": str,
    "scope": str,
    "sign": str,
    "s3": dict,
}
_S3_KEYS: Mapping[str, type] = {
    "endpoint": str,
    "region": str,
    "profile": str,
    "key": str,
    "secret": str,
    "requester_pays": bool,
}
SIGNERS = ("planetary-computer",)
_SECRET_HEADERS = ("authorization", "key", "token", "secret", "cookie", "password")
# Not refused in files of before, where they passed: told.
_LIKELY_HEADERS = re.compile(
    r"auth(?!or)|session|credential|signature|passw|pwd|bearer", re.IGNORECASE
)
_HEADER_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_NAME_IT = 'Name where it is instead: "env:NAME" or "keyring:SERVICE/USER".'
_AS_HEADER = (
    'Leave it out of the address, and let a header carry it: headers = {"X-Api-Key" = "env:NAME"}.'
)


@dataclass(frozen=True)
class S3Login:
    """How objects of a store are read.

    Attributes:
        endpoint: Address of the store with its scheme; "" for AWS.
        region: "" for the store's default.
        profile: Of the user's AWS files.
        key: Reference to the access key.
        secret: Reference to the secret key.
        requester_pays: Whether the reader agrees to pay for what is sent.
    """

    endpoint: str = ""
    region: str = ""
    profile: str = ""
    key: str = ""
    secret: str = ""
    requester_pays: bool = False


@dataclass(frozen=True)
class Login:
    """How a catalogue lets us in; empty where it is open.

    Attributes:
        headers: Sent with every request to its own host; values are text or references.
        token: Reference to a bearer token.
        client_id: OAuth2 client credentials: name or reference,
        client_secret: reference to its secret,
        token_url: where it is exchanged for a token,
        scope: and for what.
        sign: Who signs asset addresses.
        s3: How its objects are read.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    client_id: str = ""
    client_secret: str = ""
    token_url: str = ""
    scope: str = ""
    sign: str = ""
    s3: S3Login | None = None

    def __bool__(self) -> bool:
        return self != Login()


def secret(reference: str, what: str) -> str:
    """The secret that a reference names, without the white space around it.

    Files and stores of secrets end their lines; no token does.

    Args:
        reference: "env:NAME" or "keyring:SERVICE/USER".
        what: For whom, as the error says it.

    Raises:
        InvalidInputError: It is not there, or holds what no secret can hold; the hint says how to
            put it there.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = _clean(os.environ.get(name) or "", f"the environment variable {name}", what)
        if not value:
            raise InvalidInputError(
                f"{what} needs the environment variable {name}, which is not set",
                f"Set it before the kernel starts: export {name}=...",
            )
        return value
    try:
        import keyring
    except ImportError as error:
        raise InvalidInputError(
            f"{what} keeps its secret in the key store", "Install it: pip install keyring"
        ) from error
    service, _, user = name.partition("/")
    try:
        kept: str | None = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise InvalidInputError(
            f"the key store does not open: {error}", "Unlock it, or use env:."
        ) from error
    found = _clean(kept or "", f"{service}/{user} of the key store", what)
    if not found:
        raise InvalidInputError(
            f"{what} needs {service}/{user} of the key store, which is not there",
            f"Put it there: keyring set {service} {user}",
        )
    return found


def _clean(value: str, place: str, what: str) -> str:
    """A secret as it is sent; its place names it, it is not quoted.

    Raises:
        InvalidInputError: No header can hold it.
    """
    clean = value.strip()
    if any(ord(c) < 32 or ord(c) == 127 or ord(c) > 255 for c in clean):
        note_secret(value)
        raise InvalidInputError(
            f"{what} cannot send what {place} holds: a line feed or another odd character is in it",
            "Set it anew, in one line of plain characters.",
        )
    return note_secret(clean)


def delete_secret(reference: str) -> bool:
    """Take a secret out of the key store; False where it is not there.

    Args:
        reference: "keyring:SERVICE/USER".

    Raises:
        InvalidInputError: There is no key store, or it does not open.
    """
    service, _, user = reference.partition(":")[2].partition("/")
    try:
        import keyring
    except ImportError as error:
        raise InvalidInputError(
            "there is no key store", "Install it: pip install keyring"
        ) from error
    try:
        if keyring.get_password(service, user) is None:
            return False
        keyring.delete_password(service, user)
    except keyring.errors.KeyringError as error:
        raise InvalidInputError(
            f"the key store does not open: {error}", f"keyring del {service} {user}"
        ) from error
    return True


def references(login: Login) -> list[str]:
    """Where a login's secrets are: "env:NAME" and "keyring:SERVICE/USER"."""
    s3 = login.s3 or S3Login()
    places = [login.token, login.client_id, login.client_secret, s3.key, s3.secret]
    return [place for place in (*places, *login.headers.values()) if is_reference(place)]


def is_reference(text: str) -> bool:
    return text.startswith(("env:", "keyring:")) and len(text.partition(":")[2]) > 0


def check_address(url: str, where: str, *, new: bool = True) -> None:
    """Refuse what is no address, and tell of a secret in one: errors and logs would show it.

    Args:
        url: An address.
        where: Its place in the file or form.
        new: Refuse it; what stood in a file before is only warned of, and hidden.

    Raises:
        ConfigError: It is new; or its host is written in a way that nobody reads.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):  # a database may lie on several hosts, by commas
            _ = parts.port
    except ValueError as error:
        raise ConfigError(
            f"{where} is no address: {error}", "Mend its host and port, as in https://HOST:PORT/."
        ) from None
    for name, value in secrets_of_address(url).items():
        note_secret(value)
        _tell(f"{where} holds a secret in its address ({name})", _AS_HEADER, new=new)


def _tell(message: str, hint: str, *, new: bool) -> None:
    if new:
        raise ConfigError(message, hint)
    warn(f"{message}. {hint}", UserWarning)


def parse(table: Mapping[str, object], where: str, *, new: bool = True) -> Login:
    """The login of a catalogue's table.

    Args:
        table: The catalogue's.
        where: Its place, as errors say it.
        new: It is being written now (see `check_address`).

    Raises:
        ConfigError: Naming the key and what is allowed.
    """
    values = {name: table[name] for name in KEYS if name in table}
    _check_types(values, KEYS, where)
    for name in ("token", "client_secret"):
        _check_reference(values.get(name), f"{where}.{name}")
    headers = {str(k): v for k, v in _table(values.get("headers")).items()}
    for name, value in headers.items():
        if not isinstance(value, str):
            raise ConfigError(f"{where}.headers.{name} is no text", "Put it in quotes.")
        _check_header(name, value, where, new=new)
    oauth = [name for name in ("client_id", "client_secret", "token_url") if name in values]
    if oauth and len(oauth) < 3:
        raise ConfigError(
            f"{where} has {', '.join(oauth)} only",
            "OAuth2 client credentials take client_id, client_secret and token_url.",
        )
    if "sign" in values and values["sign"] not in SIGNERS:
        raise ConfigError(
            f"{where}.sign = {values['sign']!r}, allowed: {', '.join(SIGNERS)}",
            nearest(str(values["sign"]), SIGNERS),
        )
    s3 = None
    if "s3" in values:
        inner: dict[str, Any] = {str(k): v for k, v in _table(values["s3"]).items()}
        for name in inner:
            if name not in _S3_KEYS:
                raise ConfigError(
                    f"{where}.s3: unknown key {name!r}, allowed: {', '.join(_S3_KEYS)}",
                    nearest(name, list(_S3_KEYS), "allowed keys"),
                )
        _check_types(inner, _S3_KEYS, f"{where}.s3")
        for name in ("key", "secret"):
            _check_reference(inner.get(name), f"{where}.s3.{name}")
        if ("key" in inner) != ("secret" in inner):
            raise ConfigError(f"{where}.s3 has one of key and secret", "Give both, or a profile.")
        s3 = S3Login(**inner)
    check_address(str(values.get("token_url", "")), f"{where}.token_url", new=new)
    check_address("" if s3 is None else s3.endpoint, f"{where}.s3.endpoint", new=new)
    plain = {k: str(v) for k, v in values.items() if k not in ("headers", "s3")}
    return Login(headers={k: str(v) for k, v in headers.items()}, s3=s3, **plain)


def _check_header(name: str, value: str, where: str, *, new: bool) -> None:
    place = f"{where}.headers.{name}"
    if not _HEADER_NAME.match(name):
        raise ConfigError(f"{where}.headers has {name!r}, no name of a header", "Mend the name.")
    if any(ord(c) < 32 or ord(c) == 127 or ord(c) > 255 for c in value):
        raise ConfigError(f"{place} holds a line feed or another odd character", "Mend the value.")
    if any(word in name.lower() for word in _SECRET_HEADERS):
        _check_reference(value, place)
    elif _LIKELY_HEADERS.search(name) and not is_reference(value):
        note_secret(value)
        _tell(f"{place} holds a secret in plain text", _NAME_IT, new=new)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _check_types(values: Mapping[str, object], allowed: Mapping[str, type], where: str) -> None:
    words = {str: "text in quotes", bool: "true or false", dict: "a table"}
    for name, value in values.items():
        if not isinstance(value, allowed[name]):
            raise ConfigError(
                f"{where}.{name} is {_shown(name, value)}, allowed: {words[allowed[name]]}",
                f"Mend the value of {where}.{name}.",
            )


def _shown(name: str, value: object) -> str:
    return "no text" if name in {"token", "client_secret", "secret", "key"} else repr(value)


def _check_reference(value: object, where: str) -> None:
    if isinstance(value, str) and not is_reference(value):
        raise ConfigError(
            f"{where} holds a secret in plain text",
            _NAME_IT,
        )


# Where these were looked up: the providers' own documentation. Not tried live.
PLANETARY_COMPUTER = Login(sign="planetary-computer")
COPERNICUS = Login(
    s3=S3Login(
        endpoint="https://eodata.dataspace.copernicus.eu",
        region="default",
        key="env:CDSE_S3_KEY",
        secret="env:CDSE_S3_SECRET",  # noqa: S106  the name of a variable
    )
)
