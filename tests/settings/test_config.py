"""`eolab.toml`: the default needs nothing, a fault is named with file, key and what is allowed."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eolab.errors import ConfigError, ConflictError, InvalidInputError
from eolab.settings import config as configuration
from eolab.settings import edit


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EOLAB_WORKSPACE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def write(folder: Path, text: str) -> Path:
    file = folder / "eolab.toml"
    file.write_text(text)
    return file


def test_without_a_file_the_workspace_is_in_the_users_data_folder(tmp_path: Path) -> None:
    found = configuration.find(tmp_path)
    assert found.file is None
    assert found.root == tmp_path / "data" / "eolab" / "workspace"
    assert set(found.catalogs) == {"sample", "earth-search", "planetary-computer", "cdse"}
    assert found.clusters["local"].kind == "local"


def test_the_nearest_file_upward_counts(tmp_path: Path) -> None:
    made = configuration.init(tmp_path)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert configuration.find(deep) == made
    assert made.root == tmp_path / "eolab-workspace"


def test_init_keeps_a_file_that_is_there(tmp_path: Path) -> None:
    file = write(tmp_path, '[workspace]\npath = "mine"\n')
    assert configuration.init(tmp_path).root == tmp_path / "mine"
    assert file.read_text() == '[workspace]\npath = "mine"\n'


def test_the_environment_counts_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration.init(tmp_path)
    monkeypatch.setenv("EOLAB_WORKSPACE", str(tmp_path / "other"))
    assert configuration.find(tmp_path).root == tmp_path / "other"


@pytest.mark.parametrize(
    "text",
    [
        '[catalogs.a]\nurl = "http://[::1/stac"\n',
        '[catalogs.a]\nurl = "https://host:port/stac"\n',
        '[catalogs.a]\nurl = "https://host/"\ns3 = {endpoint = "https://[x"}\n',
        '[features]\nonline = "postgresql://[::1/db"\n',
    ],
)
def test_what_is_no_address_is_refused_by_its_key(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"(url|endpoint|online) is no address"):
        configuration.load(write(tmp_path, text))


def test_a_database_may_lie_on_several_hosts(tmp_path: Path) -> None:
    url = "postgresql://one:5432,two:5432/db"
    found = configuration.load(write(tmp_path, f'[features]\nonline = "{url}"\n'))
    assert found.online_url == url


def test_relative_catalogues_start_at_the_file(tmp_path: Path) -> None:
    write(tmp_path, '[catalogs.mine]\nurl = "scenes/catalog.json"\n')
    found = configuration.find(tmp_path)
    assert found.catalogs["mine"].url == str(tmp_path / "scenes" / "catalog.json")
    assert "earth-search" in found.catalogs


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("colour = 1\n", "colour", "format"),
        ('[workspace]\npaht = "x"\n', "workspace.paht", "path"),
        ("[workspace]\npath = 3\n", "workspace.path", "text in quotes"),
        ("workspace = 3\n", "workspace", "table"),
        ("[catalogs.a]\n", "catalogs.a.url", "url"),
        ('[catalogs.a]\nurl = "x"\nkind = "wfs"\n', "catalogs.a.kind", "geoparquet"),
        ('[catalogs.a]\nurl = "x"\nauth = "x"\n', "catalogs.a.auth", "url"),
        ("catalogs = 1\n", "catalogs", "tables"),
        ('[catalogs."a/b"]\nurl = "x"\n', "a/b", "letters"),
        ("[clusters.big]\nworkers = -1\n", "clusters.big.workers", "0 or more"),
        ("[clusters.big]\nworkers = true\n", "clusters.big.workers", "whole number"),
        ('[clusters.big]\nkind = "slurm"\n', "clusters.big.kind", "local"),
        ("format = 9\n", "format = 9", "1"),
        ("format = \n", "not valid TOML", ""),
    ],
)
def test_a_fault_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, key: str, allowed: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        configuration.find(tmp_path)
    told = str(caught.value)
    assert str(file) in told
    assert key in told
    assert allowed in told
    assert caught.value.hint


def test_the_id_is_one_for_all_that_ask_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second reads a whole file: what is put in place has its text already."""
    config, linked = configuration.Config(root=tmp_path / "w"), []
    link = os.link

    def watched(draft: Path, path: Path) -> None:
        linked.append(json.loads(draft.read_text())["id"])
        link(draft, path)

    monkeypatch.setattr("os.link", watched)
    with ThreadPoolExecutor(16) as pool:
        found = {each.result() for each in [pool.submit(config.identity) for _ in range(200)]}
    assert found == {config.identity()}
    assert found <= set(linked)
    assert [path.name for path in config.root.iterdir()] == ["workspace.json"]


def test_the_id_is_kept_where_the_file_system_knows_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.link", refuse)
    config = configuration.Config(root=tmp_path / "w")
    assert config.identity() == config.identity()
    assert [path.name for path in config.root.iterdir()] == ["workspace.json"]


def refuse(*_: object) -> None:
    raise OSError(errno.EPERM, "no links here")


def test_the_identity_is_made_once(config: configuration.Config) -> None:
    first = config.identity()
    assert first == config.identity()
    assert len(first) == 32


def test_a_damaged_identity_is_named(config: configuration.Config) -> None:
    config.identity()
    (config.root / "workspace.json").write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        config.identity()


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a/b", "a b", "x" * 129, "-x"])
def test_names_that_are_no_folders_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="not a good name"):
        configuration.check_name(name, "study")


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(InvalidInputError, match="not a folder"):
        configuration.open_path(tmp_path / "x.txt")


ADD_TEN = """
import sys
from pathlib import Path
from eolab.settings import config, edit
who, home = sys.argv[1], Path(sys.argv[2])
for i in range(10):
    edit.add_catalog(config.find(home), name=f"{who}{i}", url="https://a.example/stac", start=home)
"""


def test_two_processes_that_change_the_file_lose_nothing(config: configuration.Config) -> None:
    home = config.root.parent if config.file is None else config.file.parent
    running = [
        subprocess.Popen([sys.executable, "-c", ADD_TEN, who, str(home)]) for who in ("a", "b")
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    names = configuration.find(home).catalogs
    assert {f"{who}{i}" for who in ("a", "b") for i in range(10)} <= set(names)


def test_what_an_editor_saves_meanwhile_is_kept_with_its_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no turns: it saves between our reading and our writing."""
    file = write(tmp_path, '# mine\n[workspace]\npath = "w"\n')
    config, load, edits = configuration.load(file), configuration.load, iter([1])
    by_hand = '# by hand\n[catalogs.hand]\nurl = "https://hand.org"\n'

    def edited(path: Path) -> configuration.Config:
        for _ in edits:
            file.write_text(file.read_text() + by_hand)
        return load(path)

    monkeypatch.setattr(configuration, "load", edited)
    made = edit.add_catalog(config, tmp_path, name="ours", url="https://x.org")
    assert {"hand", "ours"} <= set(made.catalogs)
    text = file.read_text()
    assert text.startswith("# mine\n")
    assert by_hand in text


@pytest.mark.parametrize("text", ["format = 1\n[catalogs.a\nurl=", "", "[workspace]\n# pa"])
def test_a_file_that_is_half_written_is_told_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    config = configuration.load(write(tmp_path, '[workspace]\npath = "w"\n'))
    file = write(tmp_path, text)
    with pytest.raises(ConflictError, match=r"cannot be changed|names another workspace"):
        edit.add_catalog(config, tmp_path, name="ours", url="https://x.org")
    assert file.read_text() == text


def test_a_file_that_is_saved_again_and_again_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, '[workspace]\npath = "w"\n')
    config, load = configuration.load(file), configuration.load

    def edited(path: Path) -> configuration.Config:
        file.write_text(file.read_text() + "#\n")
        return load(path)

    monkeypatch.setattr(configuration, "load", edited)
    with pytest.raises(ConflictError, match="being changed by another program"):
        edit.add_catalog(config, tmp_path, name="ours", url="https://x.org")
    assert "ours" not in file.read_text()


def test_the_mark_that_some_editors_begin_a_file_with_is_read_over(tmp_path: Path) -> None:
    file = tmp_path / "eolab.toml"
    file.write_bytes(b"\xef\xbb\xbf" + b'[workspace]\r\npath = "w"\r\n')
    config = configuration.load(file)
    assert config.root == tmp_path / "w"
    edit.add_catalog(config, tmp_path, name="ours", url="https://x.org")
    assert file.read_bytes().startswith(b'[workspace]\r\npath = "w"\r\n')
