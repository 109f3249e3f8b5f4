"""How a worker reaches its study: the worker's half of each transport. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from eolab.studies.worker.messages import Address, Answer, Sealed


BUSY_SECONDS = 86_400.0
"""How long a worker waits at most with a study that waits itself."""


class Refused(Exception):
    """The study answered and will have nothing more from this worker: leave."""


class Unreachable(Exception):
    """No answer; the study may be restarting, or the network is cut."""


class Busy(Unreachable):
    """The study answered that it cannot take this now: its disk is full, say."""


class Link(ABC):
    """One connection to the study, used by one thread at a time.

    Contract: `call` delivers at least once, the study acts at most once on what was delivered
    twice; an answer belongs to its call.
    """

    @abstractmethod
    def call(self, op: str, body: Mapping[str, object], *, timeout: float = 10.0) -> Answer:
        """Send ``body`` and wait for the answer.

        Raises:
            Busy: The study lives and cannot take it now.
            Unreachable: No answer within ``timeout`` seconds.
            Refused: The study refuses this worker.
        """

    @abstractmethod
    def fork(self) -> Link:
        """A second connection, for another thread."""

    def close(self) -> None:  # noqa: B027  a link may have nothing to let go of
        """Let go of the connection."""

    def insist(
        self,
        op: str,
        body: Mapping[str, object],
        *,
        timeout: float = 10.0,
        patience: float = 60.0,
        give_up: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """`call`, again and again for ``patience`` seconds while nobody answers.

        A study that answers "not now" waits itself, for room on its disk for example: whoever has
        a result for it waits with it.
        """
        start, pause = time.monotonic(), 0.05
        end = start + patience
        while True:
            try:
                return self.call(op, body, timeout=timeout)
            except Unreachable as error:
                if isinstance(error, Busy):
                    end = min(time.monotonic() + patience, start + BUSY_SECONDS)
                if time.monotonic() > end or give_up():
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 1.0)


class HttpLink(Link):
    """JSON over one kept-alive HTTP/1.1 connection.

    Args:
        url: http://host:port of the study.
        token: Its bearer token.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._connection: http.client.HTTPConnection | None = None

    def fork(self) -> HttpLink:
        return HttpLink(self.url, self.token)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, op: str, body: Mapping[str, object], *, timeout: float = 10.0) -> Answer:
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=timeout
                )
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.sock.settimeout(timeout)
            self._connection.request(
                "POST",
                f"/v1/{op}",
                json.dumps(body).encode(),
                {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            )
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error
        if response.status == 503:
            raise Busy(content.decode("utf-8", "replace")[:200])
        if response.status != 200:
            raise Refused(f"{response.status}: {content.decode('utf-8', 'replace')[:500]}")
        try:
            answer: Answer = json.loads(content)
        except ValueError as error:
            self.close()
            raise Unreachable("an answer that is no JSON") from error
        return answer


class Box(ABC):
    """A folder that both sides see: whole files by name."""

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Write a file; nobody ever sees half of it."""

    @abstractmethod
    def get(self, name: str) -> bytes | None:
        """A file's content, or None where there is none."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder, in order."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""


class FolderBox(Box):
    """A folder of a file system that both sides have mounted."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._made: set[Path] = set()

    def put(self, name: str, content: bytes) -> None:
        target = self.path / name
        if target.parent not in self._made:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._made.add(target.parent)
        unique = f".{target.name}.{os.getpid()}.{threading.get_ident()}"
        temporary = target.with_name(unique)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        temporary.replace(target)

    def get(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        try:
            found = os.listdir(self.path / folder)  # noqa: PTH208  names, not paths
        except FileNotFoundError:
            return []
        return sorted(name for name in found if not name.startswith("."))

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


class RemoteBox(Box):
    """A place that fsspec reaches, such as an object store (its driver must be installed)."""

    def __init__(self, url: str) -> None:
        import fsspec

        self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)

    def put(self, name: str, content: bytes) -> None:
        path = f"{self._root}/{name}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        if getattr(self._files, "local_file", False) or "memory" in self._files.protocol:
            self._files.pipe_file(path + ".part", content)
            self._files.mv(path + ".part", path)
        else:
            self._files.pipe_file(path, content)  # an object appears whole

    def get(self, name: str) -> bytes | None:
        try:
            return bytes(self._files.cat_file(f"{self._root}/{name}"))
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        try:
            found = self._files.ls(f"{self._root}/{folder}", detail=False)
        except FileNotFoundError:
            return []
        names = (str(path).rpartition("/")[2] for path in found)
        return sorted(n for n in names if not n.endswith(".part"))

    def delete(self, name: str) -> None:
        try:
            self._files.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            pass


def make_box(path: str) -> Box:
    """The box at a folder or, with ``://`` in it, at an fsspec URL."""
    return RemoteBox(path) if "://" in path else FolderBox(path)


def seal(token: str, message: Mapping[str, object]) -> bytes:
    """A message with a signature that only holders of the token can make.

    The token itself never enters the box, which others may be able to read.
    """
    content = json.dumps(message)
    mac = hmac.new(token.encode(), content.encode(), hashlib.sha256).hexdigest()
    return json.dumps({"mac": mac, "content": content}).encode()


def unseal(token: str, sealed: bytes) -> Sealed | None:
    """The message, or None if the signature is wrong or it is no message at all."""
    try:
        outer = json.loads(sealed)
        content = str(outer["content"])
        mac = hmac.new(token.encode(), content.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(mac, str(outer["mac"])):
            return None
        message: Sealed = json.loads(content)
    except (ValueError, KeyError, TypeError):
        return None
    return message if isinstance(message, dict) else None


class MailboxLink(Link):
    """Requests and answers as signed files in a box, for workers that cannot dial the study.

    Args:
        path: Folder or fsspec URL that both sides see.
        token: The study's token, which signs and is never written.
        box: The place itself, where it is not made from its path.
    """

    def __init__(self, path: str, token: str, *, box: Box | None = None) -> None:
        self.path, self.token = path, token
        self._box = make_box(path) if box is None else box
        self._name = secrets.token_hex(8)
        self._count = 0

    def fork(self) -> MailboxLink:
        return MailboxLink(self.path, self.token)

    def call(self, op: str, body: Mapping[str, object], *, timeout: float = 10.0) -> Answer:
        self._count += 1
        name = f"{self._name}-{self._count:09d}.json"
        message = {"id": name, "op": op, "body": body, "until": time.time() + timeout}
        try:
            self._box.put(f"in/{name}", seal(self.token, message))
            answer = self._await(name, time.monotonic() + timeout)
        except OSError as error:
            raise Unreachable(f"the mailbox {self.path} does not work: {error}") from error
        if answer is None:
            with contextlib.suppress(OSError):
                self._box.delete(f"in/{name}")
            raise Unreachable(f"no answer in the mailbox {self.path}")
        if answer.get("status") == 503:
            raise Busy(str(answer.get("error")))
        if answer.get("status") != 200 or not isinstance(answer.get("body"), dict):
            raise Refused(f"{answer.get('status')}: {answer.get('error')}")
        return answer["body"]

    def _await(self, name: str, end: float) -> Sealed | None:
        pause = 0.002
        while time.monotonic() < end:
            sealed = self._box.get(f"out/{name}")
            if sealed is not None:
                self._box.delete(f"out/{name}")
                answer = unseal(self.token, sealed)
                if answer is not None and answer.get("id") == name:
                    return answer
            time.sleep(pause)
            pause = min(pause * 1.2, 0.1)
        return None


def make_link(address: Address) -> Link:
    """The link that an address describes: ``{"url", "token"}`` or ``{"mailbox", "token"}``."""
    if "mailbox" in address:
        return MailboxLink(str(address["mailbox"]), str(address["token"]))
    return HttpLink(str(address["url"]), str(address["token"]))
