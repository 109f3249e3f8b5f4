"""What README and the documentation say is so: their code runs and shows what they print."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from eolab.cli.app import main
from eolab.settings import config as configuration
from tests.pages import CODE, PAGES, ROOT, blocks, run, same

DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "scripts"))

from public_names import CLASSES, NOT_IN_A_NOTEBOOK, PACKAGES  # noqa: E402


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def workspace(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an `eolab.toml` and the sample region, in which all pages run."""
    folder = tmp_path_factory.mktemp("reader")
    made = configuration.init(folder)
    made.root.mkdir(parents=True, exist_ok=True)
    made.sample.symlink_to(sample)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("EOLAB_WORKSPACE", str(folder / "eolab.toml"))
        patch.setenv("MPLBACKEND", "agg")
        yield folder


@pytest.fixture
def shell(workspace: Path) -> Iterator[InteractiveShell]:
    """A notebook's kernel, as it is when a reader opens a page."""
    started = InteractiveShell.instance()
    started.reset()
    started.run_line_magic("load_ext", "eolab")
    yield started
    InteractiveShell.clear_instance()


def _with(kinds: set[str]) -> list[Path]:
    return [
        page
        for page in PAGES
        if any(block.kind in kinds for block in blocks(page.read_text(encoding="utf-8")))
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", _with(CODE), ids=_name)
def test_the_code_of_a_page_runs_and_shows_what_the_page_says(
    page: Path, shell: InteractiveShell
) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.kind not in CODE:
            continue
        shown = run(shell, block)
        if block.output is not None:
            where = f"{_name(page)}, line {block.output.line}"
            assert same(shown, block.output.text), f"{where} shows:\n{shown}"


@pytest.mark.parametrize("page", _with({"toml"}), ids=_name)
def test_the_settings_of_a_page_are_understood(page: Path, tmp_path: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.kind == "toml":
            file = tmp_path / "eolab.toml"
            file.write_text(f"format = 1\n{block.text}")
            assert configuration.load(file).file == file


@pytest.mark.parametrize("page", _with({"console"}), ids=_name)
def test_the_commands_of_a_page_exist(
    page: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [
        line.strip()
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.kind == "console"
        for line in block.text.splitlines()
    ]
    for line in lines:
        words = line.split("#")[0].split()
        if words[:1] == ["make"]:
            assert set(words[1:2]) <= targets, line
        if words[:1] == ["eolab"]:
            command = [word for word in words[1:3] if word.isalpha() and word.islower()]
            with pytest.raises(SystemExit, match="0"):
                main([*(command if command[:1] == ["studies"] else command[:1]), "--help"])
            help_text = capsys.readouterr().out
            flags = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert all(flag in help_text for flag in flags), line


def test_the_reference_lists_every_public_name() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.md"))
    listed = set(re.findall(r"^ *eolab[\w.]*\.(\w+)$", text, re.MULTILINE))
    public = {name for package in PACKAGES for name in importlib.import_module(package).__all__}
    public |= {name.rpartition(".")[2] for name in CLASSES}
    missing = public - listed - {name.rpartition(".")[2] for name in NOT_IN_A_NOTEBOOK}
    assert not missing, f"docs/api does not list {sorted(missing)}"


def test_every_page_can_be_reached() -> None:
    """Each page stands in the table of contents of another one."""
    trees = "\n".join(
        block
        for page in DOCS.rglob("*.md")
        for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.DOTALL)
    )
    for page in DOCS.rglob("*.md"):
        if page.name != "index.md":
            assert re.search(rf"^(.*/)?{page.stem}$", trees, re.MULTILINE), _name(page)
