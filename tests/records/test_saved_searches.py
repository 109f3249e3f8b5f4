"""Saved searches and areas: `saved.json` of a workspace that several servers have open."""

import json
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from eolab.errors import ConfigError, ConflictError
from eolab.files import writes
from eolab.records import saved_searches
from eolab.records.saved_searches import keep, read

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


def test_what_is_written_by_hand_meanwhile_and_beside_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor takes no turns: it saves between our reading and our writing."""
    keep(tmp_path, "search", "one", {"a": 1})
    path, draft, edits = tmp_path / "saved.json", writes.draft, iter([1])

    def edited(target: Path, *, instead_of: bytes | None) -> AbstractContextManager[Path]:
        for _ in edits:
            document = json.loads(path.read_text())
            document["search"].append({"name": "by hand", "value": {}})
            path.write_text(json.dumps({**document, "note": "mine"}))
        return draft(target, instead_of=instead_of)

    monkeypatch.setattr(writes, "draft", edited)
    kept = keep(tmp_path, "search", "two", {"a": 2})
    assert [entry["name"] for entry in kept["search"]] == ["by hand", "one", "two"]
    assert read(tmp_path) == kept
    assert json.loads(path.read_text())["note"] == "mine"


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 1, "search": [3], "area": []}',
        '{"format": 1, "search": {"a": 1}, "area": []}',
        '{"format": 1, "search": [{"name": 3, "value": 1}], "area": []}',
        '{"format": 1, "search": [',
        "",
    ],
)
def test_a_file_that_was_damaged_by_hand_is_told_and_left_as_it_is(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "saved.json"
    path.write_text(text)
    for act in (lambda: read(tmp_path), lambda: keep(tmp_path, "search", "one", {"a": 1})):
        with pytest.raises(ConfigError, match=r"saved.json is damaged") as error:
            act()
        assert "Mend it" in error.value.hint
    assert path.read_text() == text
