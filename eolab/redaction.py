"""Secrets stay out of what people read: errors, logs and addresses that are shown.

Who reads a secret notes it here, in the process that reads it; every expected error and every log
of ours goes through `redact`. Of addresses, what lets somebody in is hidden whoever made them.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from urllib.parse import quote, quote_plus

SHORTEST = 4  # characters: what is shorter stands in every other word
_MOST = 4_096  # of those that are kept: tokens change every hour
_HIDDEN = "..."
_secrets: dict[str, None] = {}
_lock = threading.Lock()
# Names of query parameters whose value lets in who holds it.
_NAMES = (
    r"(?:x-(?:amz|goog|ms|oss|cos)-[a-z-]+|[\w.-]*signature|sig|[\w.-]*api[_-]?key|[\w.-]*token|"
    r"[\w.-]*access[_-]?key|jwt|"
    r"[\w.-]*secret|password|passwd|pwd|auth|authorization|credentials?|subscription-key|key)"
)
# Also behind a "#", as sign-in pages hand tokens on, and a ";", as Spark Connect takes them; and in
# an address that stands as a value in another one.
_QUERY = re.compile(rf"([?&#;]){_NAMES}=[^\s'\"<>]*", re.IGNORECASE)
_QUOTED = re.compile(rf"(%3F|%26){_NAMES}%3D[^\s'\"<>&]*", re.IGNORECASE)
# A password may hold an "@": the last one before the path ends it.
_USER = re.compile(r"(\w[\w+.-]*://[^\s/:@?#'\"]*):[^\s/?#'\"]+@")
# Some services take a token as the name, with no password.
_TOKEN = re.compile(r"(\w[\w+.-]*://)(?:[^\s/:@?#'\"]+:|[^\s/:@?#'\"]{20,})@")


def note_secret(value: str) -> str:
    """Remember a secret, so that no error and no log quotes it; returns it.

    Args:
        value: As it is used.
    """
    if len(value) >= SHORTEST:
        with _lock:
            for form in (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]):
                _secrets.pop(form, None)
                _secrets[form] = None
            while len(_secrets) > _MOST:
                _secrets.pop(next(iter(_secrets)))
    return value


def forget_secrets() -> None:
    """Begin as a fresh process does: no test hides words that an earlier one took for secrets."""
    with _lock:
        _secrets.clear()


def redact(text: str) -> str:
    """A text without the noted secrets, and without what lets in at the addresses in it."""
    if _secrets:
        with _lock:
            known = sorted((s for s in _secrets if s in text), key=len, reverse=True)
        for secret in known:
            text = text.replace(secret, _HIDDEN)
    if "://" in text or "?" in text:
        text = _USER.sub(rf"\1:{_HIDDEN}@", text)
        text = _TOKEN.sub(rf"\1{_HIDDEN}@", text)
        text = _QUERY.sub(rf"\1{_HIDDEN}", text)
        text = _QUOTED.sub(rf"\1{_HIDDEN}", text)
    return text


def redact_error(error: BaseException) -> None:
    """Take secrets out of what an error, and those that it came from, say when they are shown.

    Errors of libraries quote addresses, and services quote what they were sent. An own error keeps
    them as its cause, and Python prints that, too.

    Args:
        error: It is changed where it says a secret.
    """
    left, seen = [error], {0}
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        clean = tuple(redact(part) if isinstance(part, str) else part for part in one.args)
        if clean != one.args:
            one.args = clean
        inner = (one.__cause__, one.__context__, *one.args)
        left += [part for part in inner if isinstance(part, BaseException)]


def keep_out_of_log(name: str) -> None:
    """Let a library's logger write no secret, on any level.

    Args:
        name: Of the logger that writes, not of one above it.
    """
    logging.getLogger(name).addFilter(_clean_record)  # once, however often it is asked for


def _clean_record(record: logging.LogRecord) -> bool:
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):  # a slip of the library, which logging prints
        text = f"{record.msg} {record.args}"
    record.msg, record.args = redact(text), None
    if record.exc_info and record.exc_info[1] is not None:
        redact_error(record.exc_info[1])
    return True


def secrets_of_address(url: str) -> dict[str, str]:
    """What of an address lets in who holds it: query parameters by name, and the password."""
    found = {}
    for match in _QUERY.finditer(re.sub("([&;])", r" \1", url)):  # one by one
        name, _, value = match[0][1:].partition("=")
        found[name] = value
    if token := _TOKEN.search(url):
        found["user name"] = token[0][len(token[1]) : -1].rstrip(":")
    password = _USER.search(url)
    if password:
        found["password"] = password[0][len(password[1]) + 1 : -1]
    return found
