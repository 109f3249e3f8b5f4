"""The study's half of the mailbox: requests and answers as files on a path that both sides see.

For executors that cannot dial back (a laptop behind NAT, a hub's pod). Slower than HTTP, with the
same promises; each message is signed with the study's token, which is never written there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from eolab.studies.coordinator.http import BODY_MOST, Handler
from eolab.studies.worker.link import make_box, seal, unseal
from eolab.studies.worker.messages import Answer, Sealed

QUICK, SLOW = 0.01, 0.25


class Mailbox:
    """Answers what workers put into the box.

    Args:
        handler: The same as an `Endpoint`'s.
        token: Signs answers and proves requests.
        path: Folder or fsspec URL.
    """

    def __init__(self, handler: Handler, token: str, path: str) -> None:
        self._handler, self._token = handler, token
        self._box = make_box(path)
        self._seen: dict[str, float] = {}
        self._later: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self.ignored = 0

    def open(self) -> None:
        """Begin to look into the box."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        pause = QUICK
        while True:
            try:
                names = await asyncio.to_thread(self._box.names, "in")
            except OSError:
                names = []
            fresh = [n for n in names if n not in self._seen]
            for name in fresh:
                self._seen[name] = time.monotonic()
                await self._take(name)
            self._forget(set(names))
            pause = QUICK if fresh else min(pause * 1.3, SLOW)
            await asyncio.sleep(pause)

    def _forget(self, there: set[str]) -> None:
        """Remember only names that may still be listed (a listing may lag behind a deletion)."""
        old = time.monotonic() - 60
        for name, since in list(self._seen.items()):
            if name not in there and since < old:
                del self._seen[name]

    async def _take(self, name: str) -> None:
        with contextlib.suppress(OSError):
            sealed = await asyncio.to_thread(self._box.get, f"in/{name}")
            await asyncio.to_thread(self._box.delete, f"in/{name}")
            if sealed is None:
                return
            message = unseal(self._token, sealed) if len(sealed) <= BODY_MOST else None
            # The name is part of what is signed: a copied file is no second request.
            if message is None or message.get("id") != name:
                self.ignored += 1
                return
            if float(message.get("until", 0)) < time.time() - 60:
                return  # its asker has gone long ago
            await self._respond(name, message)

    async def _respond(self, name: str, message: Sealed) -> None:
        try:
            answer = self._handler(str(message["op"]), dict(message["body"]))
        except OSError as error:
            await self._put(name, 503, {}, str(error))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            await self._put(name, 400, {}, f"{type(error).__name__}: {error}")
        else:
            if isinstance(answer, asyncio.Future):
                task = asyncio.get_running_loop().create_task(self._when_done(name, answer))
                self._later.add(task)
                task.add_done_callback(self._later.discard)
            else:
                await self._put(name, 200, answer)

    async def _when_done(self, name: str, future: asyncio.Future[Answer]) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self._put(name, 200, await future)

    async def _put(self, name: str, status: int, body: Answer, error: str = "") -> None:
        answer = {"id": name, "status": status, "body": body, "error": error}
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._box.put, f"out/{name}", seal(self._token, answer))

    async def close(self) -> None:
        """Send what is ready, then stop looking."""
        await asyncio.sleep(0)
        if self._later:
            await asyncio.wait(self._later, timeout=2)
        if self._task is not None:
            self._task.cancel()
