"""What every transport promises: how a worker reaches its study and hears its answers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest

from eolab.studies.worker.link import Busy, Link, Refused, Unreachable

TOKEN = "a-token"  # noqa: S105 - of a study that lives as long as a test

Connect: TypeAlias = Callable[[str], Link]
Transport: TypeAlias = tuple[Connect, Callable[[], None]]
Result = TypeVar("Result")


class EchoStudy:
    """The study's side of a transport, with three operations.

    ``echo`` answers its word, ``hold`` answers when `release` is called, and everything fails
    with an OSError while `full` is set.

    Attributes:
        calls: (operation, body) of each call that arrived.
        held: Answers that are held back.
        full: Whether the study cannot write.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.held: list[asyncio.Future[dict[str, object]]] = []
        self.calls: list[tuple[str, dict[str, object]]] = []
        self.full = False

    def handle(
        self, op: str, body: dict[str, object]
    ) -> dict[str, object] | asyncio.Future[dict[str, object]]:
        """What the study's process does with a request."""
        self.calls.append((op, body))
        if self.full:
            raise OSError("the disk is full")
        if op == "echo":
            return {"said": body["word"]}
        if op == "hold":
            future: asyncio.Future[dict[str, object]] = self.loop.create_future()
            self.held.append(future)
            return future
        raise ValueError(f"no operation {op}")

    def run(self, coroutine: Coroutine[object, object, Result]) -> Result:
        """The result of a coroutine in the study's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def release(self, answer: dict[str, object]) -> None:
        """Give this answer to all calls that are held back."""

        def give() -> None:
            for future in self.held:
                if not future.done():
                    future.set_result(answer)

        self.loop.call_soon_threadsafe(give)


class TransportContract:
    """What every way between workers and their study promises.

    Override `make` with how both sides are opened.

    `call` gives each caller the answer to its own call, holds on while the study holds its answer
    back, and raises `Unreachable` in time where none comes; `insist` gets through when the study
    can again; what the study refuses raises `Refused` and is not tried again; a wrong token never
    reaches the study; half a megabyte passes both ways unchanged.
    """

    def make(self, study: EchoStudy, folder: Path) -> Transport:
        """A maker of links by token, and what closes the study's side.

        Args:
            study: Give its `handle` to the study's side, which expects the token `TOKEN`; `run`
                runs a coroutine in its event loop.
            folder: An empty folder that both sides see.
        """
        raise NotImplementedError("override `make`")

    @pytest.fixture
    def study(self) -> Iterator[EchoStudy]:
        made = EchoStudy()
        yield made
        made.loop.call_soon_threadsafe(made.loop.stop)
        made.thread.join(5)
        made.loop.close()

    @pytest.fixture
    def connect(self, study: EchoStudy, tmp_path: Path) -> Iterator[Connect]:
        connect, close = self.make(study, tmp_path)
        yield connect
        close()

    def test_an_answer_belongs_to_its_call(self, study: EchoStudy, connect: Connect) -> None:
        links = [connect(TOKEN) for _ in range(8)]

        def talk(i: int) -> None:
            for k in range(12):
                assert links[i].call("echo", {"word": f"{i}-{k}"}) == {"said": f"{i}-{k}"}

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(talk, range(8)))
        assert len(study.calls) == 8 * 12

    def test_a_held_answer_comes_when_it_is_ready(self, study: EchoStudy, connect: Connect) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(connect(TOKEN).call, "hold", {}, timeout=10)
            while not study.held:
                time.sleep(0.01)
            assert connect(TOKEN).call("echo", {"word": "meanwhile"}) == {"said": "meanwhile"}
            assert not waiting.done()
            study.release({"at": "last"})
            assert waiting.result(5) == {"at": "last"}

    def test_no_answer_raises_in_time_and_the_link_works_again(self, connect: Connect) -> None:
        link = connect(TOKEN)
        start = time.monotonic()
        with pytest.raises(Unreachable, match=r"\S"):
            link.call("hold", {}, timeout=0.3)
        assert time.monotonic() - start < 2
        assert link.call("echo", {"word": "again"}) == {"said": "again"}

    def test_insisting_gets_through_when_the_study_can_again(
        self, study: EchoStudy, connect: Connect
    ) -> None:
        study.full = True
        with pytest.raises(Unreachable, match="disk is full"):
            connect(TOKEN).call("echo", {"word": "x"})
        # A study that says "not now" lives: whoever has a result for it waits beyond his patience.
        threading.Timer(0.6, lambda: setattr(study, "full", False)).start()
        assert connect(TOKEN).insist("echo", {"word": "x"}, patience=0.1) == {"said": "x"}
        study.full = True
        with pytest.raises(Busy, match="disk is full"):
            connect(TOKEN).insist("echo", {"word": "x"}, give_up=lambda: len(study.calls) > 3)

    def test_a_wrong_word_is_refused_not_retried(self, connect: Connect) -> None:
        with pytest.raises(Refused, match="no operation"):
            connect(TOKEN).insist("dance", {}, patience=30)
        with pytest.raises(Refused, match="word"):
            connect(TOKEN).call("echo", {})

    def test_a_wrong_token_never_reaches_the_study(
        self, study: EchoStudy, connect: Connect
    ) -> None:
        with pytest.raises((Refused, Unreachable), match=r"\S"):
            connect("another-token").call("echo", {"word": "x"}, timeout=0.6)
        assert study.calls == []

    def test_large_messages_pass_both_ways(self, connect: Connect) -> None:
        word = "é" * 500_000
        assert connect(TOKEN).call("echo", {"word": word}) == {"said": word}
