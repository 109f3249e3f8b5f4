"""The promises of a transport, kept by HTTP and by the mailbox alike."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import pytest

import eolab as eo
from eolab.studies.coordinator.http import Endpoint
from eolab.studies.coordinator.mailbox import Mailbox
from eolab.studies.worker.link import HttpLink, Link, MailboxLink, Refused, Unreachable, make_box
from tests.studies.conftest import Run

TOKEN = "a-token"


class Study:
    """The study's side: answers ``echo``, holds ``hold`` back until released, fails on demand."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.held: list[asyncio.Future[dict[str, Any]]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.full = False

    def handle(self, op: str, body: dict[str, Any]) -> Any:
        self.calls.append((op, body))
        if self.full:
            raise OSError("the disk is full")
        if op == "echo":
            return {"said": body["word"]}
        if op == "hold":
            future: asyncio.Future[dict[str, Any]] = self.loop.create_future()
            self.held.append(future)
            return future
        raise ValueError(f"no operation {op}")

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def release(self, answer: dict[str, Any]) -> None:
        self.loop.call_soon_threadsafe(
            lambda: [f.done() or f.set_result(answer) for f in self.held]
        )


class TransportContract:
    """What every transport promises; a transport inherits this and says how it is made."""

    def make(self, study: Study, folder: Path) -> tuple[Callable[[str], Link], Callable[[], None]]:
        """A maker of links by token, and what closes the study's side."""
        raise NotImplementedError

    @pytest.fixture
    def study(self) -> Iterator[Study]:
        made = Study()
        yield made
        made.loop.call_soon_threadsafe(made.loop.stop)
        made.thread.join(5)
        made.loop.close()

    @pytest.fixture
    def connect(self, study: Study, tmp_path: Path) -> Iterator[Callable[[str], Link]]:
        connect, close = self.make(study, tmp_path)
        yield connect
        close()

    def test_an_answer_belongs_to_its_call(
        self, study: Study, connect: Callable[[str], Link]
    ) -> None:
        links = [connect(TOKEN) for _ in range(8)]

        def talk(i: int) -> None:
            for k in range(12):
                assert links[i].call("echo", {"word": f"{i}-{k}"}) == {"said": f"{i}-{k}"}

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(talk, range(8)))
        assert len(study.calls) == 8 * 12

    def test_a_held_answer_comes_when_it_is_ready(
        self, study: Study, connect: Callable[[str], Link]
    ) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(connect(TOKEN).call, "hold", {}, timeout=10)
            while not study.held:
                time.sleep(0.01)
            assert connect(TOKEN).call("echo", {"word": "meanwhile"}) == {"said": "meanwhile"}
            assert not waiting.done()
            study.release({"at": "last"})
            assert waiting.result(5) == {"at": "last"}

    def test_no_answer_is_told_in_time_and_the_link_works_again(
        self, study: Study, connect: Callable[[str], Link]
    ) -> None:
        link = connect(TOKEN)
        start = time.monotonic()
        with pytest.raises(Unreachable):
            link.call("hold", {}, timeout=0.3)
        assert time.monotonic() - start < 2
        assert link.call("echo", {"word": "again"}) == {"said": "again"}

    def test_insisting_gets_through_when_the_study_can_again(
        self, study: Study, connect: Callable[[str], Link]
    ) -> None:
        study.full = True
        with pytest.raises(Unreachable, match="disk is full"):
            connect(TOKEN).call("echo", {"word": "x"})
        threading.Timer(0.4, lambda: setattr(study, "full", False)).start()
        assert connect(TOKEN).insist("echo", {"word": "x"}, patience=10) == {"said": "x"}
        study.full = True
        with pytest.raises(Unreachable):
            connect(TOKEN).insist("echo", {"word": "x"}, patience=0.2)

    def test_a_wrong_word_is_refused_not_retried(
        self, study: Study, connect: Callable[[str], Link]
    ) -> None:
        with pytest.raises(Refused, match="no operation"):
            connect(TOKEN).insist("dance", {}, patience=30)
        with pytest.raises(Refused, match="word"):
            connect(TOKEN).call("echo", {})

    def test_a_wrong_token_never_reaches_the_study(
        self, study: Study, connect: Callable[[str], Link]
    ) -> None:
        with pytest.raises((Refused, Unreachable)):
            connect("another-token").call("echo", {"word": "x"}, timeout=0.6)
        assert study.calls == []

    def test_large_messages_pass_both_ways(
        self, study: Study, connect: Callable[[str], Link]
    ) -> None:
        word = "é" * 500_000
        assert connect(TOKEN).call("echo", {"word": word}) == {"said": word}


class TestHttp(TransportContract):
    def make(self, study: Study, folder: Path) -> tuple[Callable[[str], Link], Callable[[], None]]:
        endpoint = Endpoint(study.handle, TOKEN)
        port = study.run(endpoint.listen("127.0.0.1", 0))
        return (
            lambda token: HttpLink(f"http://127.0.0.1:{port}", token),
            lambda: study.loop.call_soon_threadsafe(endpoint.close) and None,
        )


class TestMailbox(TransportContract):
    def path(self, folder: Path) -> str:
        return str(folder / "box")

    def make(self, study: Study, folder: Path) -> tuple[Callable[[str], Link], Callable[[], None]]:
        path = self.path(folder)

        async def open_box() -> Mailbox:
            mailbox = Mailbox(study.handle, TOKEN, path)
            mailbox.open()
            return mailbox

        mailbox = study.run(open_box())
        return lambda token: MailboxLink(path, token), lambda: study.run(mailbox.close())

    def test_nothing_is_left_in_the_box_and_the_token_never_enters(
        self, study: Study, connect: Callable[[str], Link], tmp_path: Path
    ) -> None:
        link = connect(TOKEN)
        box = make_box(self.path(tmp_path))
        seen: list[bytes] = []
        put = link._box.put  # type: ignore[attr-defined]
        link._box.put = lambda name, content: (seen.append(content), put(name, content))  # type: ignore[attr-defined]
        link.call("echo", {"word": "x"})
        assert box.names("in") == box.names("out") == []
        assert len(seen) == 1
        assert TOKEN.encode() not in seen[0]

    def test_a_copied_or_foreign_file_is_no_request(
        self, study: Study, connect: Callable[[str], Link], tmp_path: Path
    ) -> None:
        link = connect(TOKEN)
        box = make_box(self.path(tmp_path))
        sent: list[bytes] = []
        put = link._box.put  # type: ignore[attr-defined]
        link._box.put = lambda name, content: (sent.append(content), put(name, content))  # type: ignore[attr-defined]
        link.call("echo", {"word": "once"})
        box.put("in/copy.json", sent[0])
        box.put("in/junk.json", b"\x00\xff not json")
        box.put("in/list.json", b"[1, 2]")
        link.call("echo", {"word": "twice"})
        assert [body["word"] for _, body in study.calls] == ["once", "twice"]


class TestMailboxByFsspec(TestMailbox):
    """The same over fsspec, as for an object store."""

    def path(self, folder: Path) -> str:
        return f"local://{folder}/box"


@pytest.mark.parametrize("mailbox", [False, True])
def test_a_study_gives_the_same_trials_over_either(run: Run, mailbox: bool) -> None:
    def curve(reporter, *, seed, x: Annotated[float, eo.uniform(-1, 1)] = 0.0):
        for step in range(3):
            reporter.report(step=step, score=x * step)
        print("ran")
        return x

    study = run(curve, trials=8, mailbox=mailbox)
    assert [t["value"] for t in study.trials] == [t["params"]["x"] for t in study.trials]
    assert all(t["curve"] == [[s, t["params"]["x"] * s] for s in range(3)] for t in study.trials)
    assert "ran" in study.log(3)
