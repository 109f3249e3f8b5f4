"""A file is there whole or not at all, whoever else writes it and however the writer ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from eolab.files import writes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    writes.write_json(tmp_path / "a.json", {"n": 1})
    writes.write_json(tmp_path / "a.json", {"n": 2})
    assert json.loads((tmp_path / "a.json").read_text()) == {"n": 2}
    assert names(tmp_path) == ["a.json"]


def test_what_is_no_json_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    writes.write_json(tmp_path / "a.json", {"n": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        writes.write_json(tmp_path / "a.json", {"n": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"n": 1}
    assert names(tmp_path) == ["a.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="it knows no such limits")
def test_a_line_that_a_full_disk_took_in_part_takes_no_other_with_it(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "lines.jsonl"
    writes.append(path, "first")
    writes.append(path, "second\nthird")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 4, limits[1]))
    try:
        for _ in range(2):  # 4 bytes of it fit, then none
            with pytest.raises(OSError, match=r"No space left|File too large"):
                writes.append(path, "too long")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    writes.append(path, "last")
    assert path.read_text().splitlines() == ["first", "second", "third", "too ", "last"]


def test_those_who_share_a_workspace_append_to_one_file(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        writes.append(tmp_path / "lines.jsonl", "first")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "lines.jsonl").stat().st_mode) == 0o664


def test_permissions_hold_from_the_first_moment(tmp_path: Path) -> None:
    writes.write_text(tmp_path / "token", "secret", mode=0o600)
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def write() -> None:
        with writes.draft(tmp_path / "a") as draft:
            draft.write_text("half")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write()
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_threads_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for _ in range(50):
                writes.write_json(path, [number] * 2_000)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            assert len(set(json.loads(path.read_text()))) == 1
    assert not failures
    assert names(tmp_path) == ["a.json"]


def test_drafts_of_killed_processes_are_swept_and_no_others(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from eolab.files import writes\n"
        "with writes.draft(pathlib.Path(sys.argv[1])) as draft:\n"
        "    draft.write_text('half'); print('there', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "a"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "there\n"
        writes.sweep_drafts(tmp_path)
        assert len(names(tmp_path)) == 1, "its writer still runs"
        process.send_signal(signal.SIGKILL)
    (tmp_path / ".mine.tmp").write_text("no draft of ours")
    writes.sweep_drafts(tmp_path)
    assert names(tmp_path) == [".mine.tmp"]


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    with writes.draft_folder(home) as draft:
        (draft / "x").write_text("1")
        assert not home.exists()
    assert names(home) == ["x"]
    with pytest.raises(FileExistsError, match="home"), writes.draft_folder(home):
        pass
    with writes.draft_folder(home, replace=True) as draft:
        (draft / "y").write_text("2")
        assert names(home) == ["x"]
    assert names(home) == ["y"]
    assert names(home.parent) == ["home"]


def test_a_folder_that_another_made_meanwhile_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def write() -> None:
        with writes.draft_folder(home) as draft:
            (draft / "x").write_text("mine")
            home.mkdir()
            (home / "x").write_text("theirs")

    with pytest.raises(FileExistsError, match="home"):
        write()
    assert (home / "x").read_text() == "theirs"
    assert names(tmp_path) == ["home"]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No such file"):
        writes.write_text(tmp_path / "folder" / "a", "x")
    assert names(tmp_path) == []
