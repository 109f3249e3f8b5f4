"""The promises of a transport, kept by HTTP and by the mailbox alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.studies.coordinator.http import Endpoint
from eolab.studies.coordinator.mailbox import Mailbox
from eolab.studies.worker.link import Box, HttpLink, MailboxLink, make_box
from eolab.testing import EchoStudy, TransportContract
from eolab.testing.transports import TOKEN, Connect, Transport
from tests.studies.conftest import Run


class TestHttp(TransportContract):
    def make(self, study: EchoStudy, folder: Path) -> Transport:
        endpoint = Endpoint(study.handle, TOKEN)
        port = study.run(endpoint.listen("127.0.0.1", 0))
        return (
            lambda token: HttpLink(f"http://127.0.0.1:{port}", token),
            lambda: study.loop.call_soon_threadsafe(endpoint.close) and None,
        )


class WatchedBox(Box):
    """A box that remembers what was put into it.

    Args:
        box: The real one.
    """

    def __init__(self, box: Box) -> None:
        self._box = box
        self.contents: list[bytes] = []

    def put(self, name: str, content: bytes) -> None:
        self.contents.append(content)
        self._box.put(name, content)

    def get(self, name: str) -> bytes | None:
        return self._box.get(name)

    def names(self, folder: str) -> list[str]:
        return self._box.names(folder)

    def delete(self, name: str) -> None:
        self._box.delete(name)


class TestMailbox(TransportContract):
    def path(self, folder: Path) -> str:
        return str(folder / "box")

    def make(self, study: EchoStudy, folder: Path) -> Transport:
        path = self.path(folder)

        async def open_box() -> Mailbox:
            mailbox = Mailbox(study.handle, TOKEN, path)
            mailbox.open()
            return mailbox

        mailbox = study.run(open_box())
        return lambda token: MailboxLink(path, token), lambda: study.run(mailbox.close())

    def test_nothing_is_left_in_the_box_and_the_token_never_enters(
        self, study: EchoStudy, connect: Connect, tmp_path: Path
    ) -> None:
        box = make_box(self.path(tmp_path))
        watched = WatchedBox(box)
        link = MailboxLink(self.path(tmp_path), TOKEN, box=watched)
        link.call("echo", {"word": "x"})
        assert box.names("in") == box.names("out") == []
        assert len(watched.contents) == 1
        assert TOKEN.encode() not in watched.contents[0]

    def test_a_copied_or_foreign_file_is_no_request(
        self, study: EchoStudy, connect: Connect, tmp_path: Path
    ) -> None:
        box = make_box(self.path(tmp_path))
        watched = WatchedBox(box)
        link = MailboxLink(self.path(tmp_path), TOKEN, box=watched)
        link.call("echo", {"word": "once"})
        box.put("in/copy.json", watched.contents[0])
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
