"""One file from an address to a path: in pieces, resumed, under its name only when whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eolab.catalog.io.cancellation import Line
from eolab.catalog.io.item_logins import refusal_hint
from eolab.catalog.io.s3 import ask_store
from eolab.errors import ConflictError, InvalidInputError, NotFoundError, RemoteError
from eolab.files import locks
from eolab.files.folders import is_endless
from eolab.settings.limits import said_as
from eolab.settings.logins import S3Login

if TYPE_CHECKING:
    import requests

    from eolab.catalog.io.logins import SourceLogin

PIECE = 1 << 18
TIMEOUT = (10.0, 15.0)  # seconds to connect, and between two pieces: then it is asked again
TRIES = 5
SPARE = 64 << 20  # bytes of a disk that stay free
# Codes of multihash, in which `file:checksum` is written, by the names of hashlib.
_HASHES: Mapping[str, str] = {"11": "sha1", "12": "sha256", "13": "sha512", "d5": "md5"}
Report = Callable[[int, int | None], None]


class Stopped(Exception):
    """The transfer was ended from outside; what had come stays for the next time."""


@dataclass(frozen=True)
class Part:
    """What has come of a file: beside its goal, with what tells whether it is still the same."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    @property
    def about(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part.json")

    def version(self, href: str) -> str:
        """The tag under which the bytes came; "" where they cannot be gone on with."""
        try:
            saved = json.loads(self.about.read_text(encoding="utf-8"))
            return str(saved["tag"]) if saved["href"] == href and self.data.exists() else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def begin(self, href: str, tag: str) -> None:
        if tag:
            self.about.write_text(json.dumps({"href": href, "tag": tag}), encoding="utf-8")

    def empty(self) -> None:
        """Begin anew, in the same file, which is locked."""
        os.truncate(self.data, 0)
        self.about.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other download writes into it meanwhile.

        Raises:
            ConflictError: Another one does.
        """
        handle = locks.take(self.data)
        try:
            if handle is None or not self._is_at(handle):
                raise ConflictError(
                    f"{self.path.name} is being brought by another download", "Wait for that one."
                )
            yield
        finally:
            if handle is not None:
                os.close(handle)

    def _is_at(self, handle: int) -> bool:
        """Whether the file of a handle is still the one there: another download may have ended."""
        try:
            return os.path.samestat(os.fstat(handle), self.data.stat())
        except FileNotFoundError:
            return False

    def finish(self) -> None:
        self.data.replace(self.path)
        self.about.unlink(missing_ok=True)

    def drop(self) -> None:
        self.data.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)


def fetch_file(
    href: str,
    path: Path,
    *,
    login: SourceLogin | None = None,
    checksum: str = "",
    web_page: bool = False,
    report: Report,
    line: Line,
) -> int:
    """Bring a file to a path; returns its bytes. A connection that breaks is taken up again.

    Args:
        href: Local path, http(s) or s3 address, not signed yet.
        path: Where it goes; its folder must be there.
        login: By which it is read.
        checksum: Its multihash in hexadecimal, as `file:checksum` gives it; "" for none.
        web_page: Whether a web page is what is wanted.
        report: Called with the bytes that are there and all bytes (None where not known).
        line: For its requests; cut, it ends the transfer.

    Raises:
        Stopped: The line was cut.
        NotFoundError: Nothing is there.
        InvalidInputError: It is a folder, or of a kind that cannot be copied.
        ConflictError: The disk is full.
        RemoteError: The service fails again and again, or sends something else.
    """
    part = Part(path)
    if href.startswith("gs://"):
        href = f"https://storage.googleapis.com/{href.removeprefix('gs://')}"
    local = "://" not in href or href.startswith("file://")
    if not local and not href.startswith(("http://", "https://", "s3://")):
        raise InvalidInputError(
            f"{href} cannot be copied", "Load it: GDAL may know how to read it."
        )
    try:
        urlsplit(href)
    except ValueError as error:
        raise InvalidInputError(f"{href} is no address: {error}", "Check the catalogue.") from error
    with part.locked():
        try:
            if local:
                _copy(href, part, report, line)
            else:
                _download(_Request(href, login, line), part, web_page=web_page, report=report)
            _check_sum(part, checksum, href)
            size = part.data.stat().st_size
            part.finish()
        finally:
            # What cannot be gone on with is of no use to anybody.
            if not part.about.exists():
                part.data.unlink(missing_ok=True)
    return size


def _copy(href: str, part: Part, report: Report, line: Line) -> None:
    source = Path(href.removeprefix("file://"))
    if source.is_dir():
        raise InvalidInputError(f"{href} is a folder of many files", "Load it instead.")
    if is_endless(source):
        raise InvalidInputError(f"{href} is no file", "Check the catalogue.")
    try:
        part.empty()
        with source.open("rb") as read, part.data.open("ab") as out:
            total = os.fstat(read.fileno()).st_size
            _check_room(part.path, total)
            _pour(iter(lambda: read.read(PIECE), b""), out.write, 0, total, report, line)
    except FileNotFoundError as error:
        raise NotFoundError(f"{href} is not there", "Check the catalogue.") from error
    except OSError as error:
        raise ConflictError(f"{href} cannot be copied: {error}", "Check the disk.") from error


@dataclass(frozen=True)
class _Request:
    """What is asked for, by whose login, over which line."""

    href: str
    login: SourceLogin | None
    line: Line


def _download(asked: _Request, part: Part, *, web_page: bool, report: Report) -> None:
    import requests

    failures, reached = 0, -1
    while True:
        try:
            return _try(asked, part, web_page=web_page, report=report)
        except requests.exceptions.InvalidURL as error:  # however often it is asked
            raise RemoteError(
                f"{asked.href} is no address, or leads to none", "Tell those who run the service."
            ) from error
        except requests.RequestException as error:
            here = part.data.stat().st_size if part.data.exists() else 0
            # A line that breaks now and then but gets on is no reason to give up.
            failures = 1 if here > reached else failures + 1
            reached = max(reached, here)
            if failures >= TRIES and not asked.line.is_cut():
                raise RemoteError(
                    f"{asked.href} broke off {failures} times: {type(error).__name__}",
                    "What came is kept: the same again goes on from there.",
                ) from error
            _rest(min(0.3 * 2**failures, 20.0), asked.line)
        except ValueError as error:
            raise RemoteError(
                f"{asked.href} leads to what is no address", "Tell those who run the service."
            ) from error


def _rest(seconds: float, line: Line) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if line.is_cut():
            raise Stopped
        time.sleep(0.1)


def _try(asked: _Request, part: Part, *, web_page: bool, report: Report) -> None:
    """Ask once, from where the bytes that came end."""
    import requests

    href = asked.href
    tag = part.version(href)
    start = part.data.stat().st_size if tag else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": tag}
    with _ask(asked, headers) as answer:
        if start and (answer.status_code == 416 or not _goes_on(answer, start)):
            # Another file than the one that began to come.
            part.empty()
            raise requests.ConnectionError("the file changed")
        _refuse(asked, answer, web_page=web_page)
        going_on = answer.status_code == 206
        start = start if going_on else 0
        length = answer.headers.get("Content-Length", "")
        # A body that is packed on its way has another length than the file.
        plain = not answer.headers.get("Content-Encoding")
        total = start + int(length) if length.isdigit() and plain else None
        _check_room(part.path, (total or 0) - start)
        if not going_on:
            part.empty()
            # A weak tag does not promise the same bytes.
            etag = answer.headers.get("ETag", "")
            strong = etag if etag and not etag.startswith("W/") else ""
            part.begin(href, strong or answer.headers.get("Last-Modified", ""))
        with part.data.open("ab") as out, _awake(asked, answer) as pieces:
            done = _pour(pieces, out.write, start, total, report, asked.line)
        if asked.line.is_cut():
            raise Stopped  # a line that was shut looks like the end of the file
        if total is not None and done < total:
            raise requests.ConnectionError(f"{done} of {total} bytes came")


@contextmanager
def _awake(asked: _Request, answer: requests.Response) -> Iterator[Iterator[bytes]]:
    """The pieces of an answer, each of which comes in time.

    A piece is waited for until it is whole, and each byte starts the clock of the socket anew: so
    another thread looks at the time.

    Raises:
        RemoteError: It comes more slowly than `Limits.slowest`.
    """
    slowest = asked.line.limits.slowest
    ended, late = threading.Event(), threading.Event()
    came = [time.monotonic()]

    def watch() -> None:
        longest = TIMEOUT[1] + PIECE / slowest
        while not ended.wait(min(1.0, longest / 4)):
            if time.monotonic() - came[0] > longest:
                late.set()
                with contextlib.suppress(OSError, ValueError, RuntimeError):  # closed just now
                    answer.raw.shutdown()
                return

    def pieces() -> Iterator[bytes]:
        for piece in answer.iter_content(PIECE):
            came[0] = time.monotonic()
            yield piece

    if slowest:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield pieces()
    except Exception:
        if not late.is_set():
            raise
    finally:
        ended.set()
    if late.is_set():
        raise RemoteError(
            f"{asked.href} comes at less than {slowest:,} bytes a second",
            "What came is kept: the same again goes on from there. For lines as slow as that, "
            f"lower {said_as('slowest')}.",
        )


def _goes_on(answer: requests.Response, start: int) -> bool:
    """Whether the answer begins where we asked it to (or at all)."""
    if answer.status_code != 206:
        return True
    return answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _ask(asked: _Request, headers: dict[str, str]) -> AbstractContextManager[requests.Response]:
    href, login, line = asked.href, asked.login, asked.line
    if not href.startswith("s3://"):
        url = href if login is None else login.signed(href)
        return line.session(login).get(url, headers=headers, timeout=TIMEOUT, stream=True)
    store = S3Login() if login is None or login.login.s3 is None else login.login.s3
    what = "copying files" if login is None else f"catalogue {login.name!r}"
    # Not the session with logins: a store has its own.
    send = partial(line.plain.get, timeout=TIMEOUT, stream=True, allow_redirects=False)
    return ask_store(lambda url, sent: send(url, headers=sent), href, store, what, headers)


def _refuse(asked: _Request, answer: requests.Response, *, web_page: bool) -> None:
    """Raise for an answer that is not the file."""
    import requests

    href, status = asked.href, answer.status_code
    if status in (404, 410):
        raise NotFoundError(f"{href} is not there", "Check the catalogue.")
    if status in (429, 500, 502, 503, 504):
        raise requests.ConnectionError(f"{status} {answer.reason}")
    if status not in (200, 206):
        raise RemoteError(
            f"{href} answered {status} {answer.reason}", refusal_hint(href, asked.login)
        )
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind == "text/html" and not web_page:
        raise RemoteError(
            f"{href} sent a web page in place of the file",
            "It may want a login: see the catalogue's table in eolab.toml.",
        )


def _pour(
    pieces: Iterator[bytes],
    write: Callable[[bytes], object],
    done: int,
    total: int | None,
    report: Report,
    line: Line,
) -> int:
    report(done, total)
    for piece in pieces:
        if line.is_cut():
            raise Stopped
        write(piece)
        done += len(piece)
        report(done, total)
    return done


def _check_room(path: Path, size: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if size > free - SPARE:
        raise ConflictError(
            f"{path.parent} has {free / 1e6:,.0f} MB free, the file needs {size / 1e6:,.0f}",
            "Make room, or name another folder: [workspace] downloads in eolab.toml.",
        )


def _check_sum(part: Part, checksum: str, href: str) -> None:
    """Compare with the multihash that the catalogue states; unknown kinds are let be."""
    code = checksum[:4] if checksum[:2].lower() == "d5" else checksum[:2]
    name = _HASHES.get(code[:2].lower())
    if name is None:
        return
    with part.data.open("rb") as file:
        found = hashlib.file_digest(file, name).hexdigest()
    # After the code comes the length in bytes; md5's code is two bytes long.
    if checksum.lower().endswith(found) and len(checksum) == len(code) + 2 + len(found):
        return
    part.drop()
    raise RemoteError(
        f"{href} has another checksum than the catalogue states", "It is not kept; try again."
    )
