"""`eolab`: what the command line says and does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eolab.cli.app import main
from eolab.facade import workspace
from eolab.settings import config as configuration


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+", capsys.readouterr().out.strip())


def test_without_a_command_it_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    for command in ("lab", "init", "sample", "ingest", "demo", "studies"):
        assert command in shown


def test_init_names_the_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 0
    assert str(tmp_path / "eolab-workspace") in capsys.readouterr().out
    assert configuration.find(tmp_path).file == tmp_path / "eolab.toml"


def test_a_sample_that_is_there_is_kept(config, capsys: pytest.CaptureFixture[str]) -> None:
    config.sample.mkdir(parents=True)
    (config.sample / "sample.json").write_text("{}")
    assert main(["sample", "--workspace", str(config.file)]) == 0
    assert "is there" in capsys.readouterr().out
    assert (config.sample / "sample.json").read_text() == "{}"


def test_ingested_rasters_can_be_searched(
    config, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "eolearn-slovenia-stac" / "S2_L1C_20150711"
    arguments = ["ingest", str(folder), "--collection", "mine", "--workspace", str(config.file)]
    assert main(arguments) == 0
    assert "ws.catalog('mine')" in capsys.readouterr().out
    items = workspace(config.file).catalog("mine").search()
    assert [item.datetime.date().isoformat() for item in items] == ["2015-07-11"]
    # They lie outside of the workspace, which may read them: the user named them.
    assert Path(items[0].assets["B04"].href) == (folder / "B04.tif").resolve()


def test_a_dry_run_shows_the_table_and_writes_nothing(
    config, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "eolearn-slovenia-stac" / "S2_L1C_20150711"
    arguments = ["ingest", str(folder), "--to", "mine", "--workspace", str(config.file)]
    assert main([*arguments, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "collection 'mine' holds 0; nothing is written" in shown
    assert re.search(r"^B04.tif +2015-07-11 +folder name +B04 ", shown, re.MULTILINE)
    assert not (config.root / "catalogs").exists()
    assert "mine" not in workspace(config.file).config.catalogs


def test_names_of_bands_are_listed_with_and_without_spaces(
    config, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "eolearn-slovenia-stac" / "S2_L1C_20150711"
    files = [str(folder / "B04.tif"), "--workspace", str(config.file)]
    assert main(["ingest", *files, "--dry-run", "--bands", " red "]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^B04.tif +2015-07-11 +folder name +red ", shown, re.MULTILINE)


def test_a_collection_without_a_name_is_refused(config, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", ".", "--workspace", str(config.file)]) == 1
    assert "--to NAME" in capsys.readouterr().err


def test_an_error_ends_with_two_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "eolab.toml").write_text("nonsense = 1\n")
    assert main(["sample", "--workspace", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert "nonsense" in lines[0]
    assert lines[1].startswith("Hint: ")
