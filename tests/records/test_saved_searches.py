"""Saved searches and areas: `saved.json` of a workspace that several servers have open."""

import subprocess
import sys
from pathlib import Path

import pytest

from eolab.errors import ConflictError
from eolab.records import saved_searches

KEEP_TWENTY = """
import sys
from pathlib import Path
from eolab.records import saved_searches
for i in range(20):
    saved_searches.keep(Path(sys.argv[2]), "search", f"{sys.argv[1]}{i}", {"n": i})
"""


def test_two_servers_that_save_at_once_lose_nothing(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", KEEP_TWENTY, who, str(tmp_path)])
        for who in ("a", "b")
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    names = {entry["name"] for entry in saved_searches.read(tmp_path)["search"]}
    assert names == {f"{who}{i}" for who in ("a", "b") for i in range(20)}


def test_a_file_in_the_place_of_the_workspace_is_named(tmp_path: Path) -> None:
    (tmp_path / "space").write_text("no folder")
    with pytest.raises(ConflictError, match="space cannot be written"):
        saved_searches.keep(tmp_path / "space", "search", "mine", {})
