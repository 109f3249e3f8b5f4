"""`%%tune`: the cell's function becomes a study, the flags its options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from eolab.errors import ConflictError, InvalidInputError
from eolab.facade import Workspace
from eolab.magics import flags, tune
from eolab.magics.cells import in_flags
from eolab.magics.flags import FlagParser, split_flags
from eolab.magics.signatures import show_options
from eolab.settings.config import Config
from eolab.studies import Study
from eolab.studies import tune as tune_study
from eolab.studies.ablation import ablate

CELL = """
from typing import Annotated
import eolab as eo

def train(data, *, seed, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    return {"score": x + data}
"""


@pytest.fixture
def shell(config: Config) -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    tune.register(made)
    made.user_ns["ws"] = Workspace(config)
    yield made
    InteractiveShell.clear_instance()


def test_the_cell_becomes_a_study(shell: InteractiveShell) -> None:
    shell.user_ns["offset"] = 10
    line = (
        "--name s --metric score --trials 3 --workers 1 --sampler random --data offset --cpus 1 "
        "--no-tracking"
    )
    shell.run_cell_magic("tune", line, CELL)
    study = shell.user_ns["study"]
    assert study.state == "completed"
    assert len(study.trials) == 3
    assert study.best_value == 10 + study.best_params["x"]
    assert "def train" in study.spec["source"]
    assert study.spec["cluster"]["cpus"] == 1
    assert study.spec["environment"]["OMP_NUM_THREADS"] == "1"
    # Another cell that holds the same text attaches to the same study.
    shell.run_cell_magic("tune", line, "\n\n" + CELL)
    assert shell.user_ns["study"].trials == study.trials


def test_what_is_wrong_is_said_in_a_line(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="--trails"):
        shell.run_cell_magic("tune", "--metric score --trails 3", CELL)
    with pytest.raises(UsageError, match="--metric"):
        shell.run_cell_magic("tune", "--name s", CELL)
    with pytest.raises(InvalidInputError, match="no such variable"):
        shell.run_cell_magic("tune", "--metric score --data offsett", CELL)
    with pytest.raises(InvalidInputError, match="defines no function"):
        shell.run_cell_magic("tune", "--metric score", "x = 1")


def test_the_magic_alone_lists_its_flags_with_an_example(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("tune", "")
    said = capsys.readouterr().out
    assert said.startswith("usage: %%tune --metric METRIC")
    assert "    def train(data, reporter" in said  # as it is typed, not run together
    assert "--trials TRIALS" in said


@pytest.mark.filterwarnings("ignore:`Completer.complete`:PendingDeprecationWarning")
def test_tab_offers_flags_and_what_they_take(shell: InteractiveShell) -> None:
    def offered(line: str) -> list[str]:
        return list(shell.complete(None, line, len(line))[1])

    shell.user_ns["split_of_may"] = object()
    assert set(offered("%%tune --tri")) == {"--trials", "--trial-timeout"}
    assert "--data" not in offered("%%tune --data split_of_may --")
    assert offered("%%tune --data spl") == ["split_of_may"]
    assert offered("%%tune --direction m") == ["maximize", "minimize"]
    assert "local" in offered("%%tune --on ")


def test_only_the_notebooks_own_variables_are_named(shell: InteractiveShell) -> None:
    shell.run_cell("import math\nfields = 3")
    with pytest.raises(InvalidInputError, match="no such variable") as caught:
        shell.run_cell_magic("tune", "--metric score --data qqq", CELL)
    assert "fields" in caught.value.hint
    for other in ("get_ipython", "math", "In,"):
        assert other not in caught.value.hint


def test_shift_tab_shows_the_options(shell: InteractiveShell) -> None:
    show_options()
    for method, function in ((Workspace.tune, tune_study), (Workspace.ablate, ablate)):
        shown = inspect.signature(method).parameters
        meant = inspect.signature(function).parameters
        assert list(shown)[1:] == list(meant)[1:]
        assert "The workspace.\n" not in (method.__doc__ or "")
        assert "metric: " in (method.__doc__ or "")


FLAGS = "--name {name} --metric score --trials 1 --workers 1 --sampler random --no-tracking"


@pytest.mark.parametrize(
    "line",
    ["%time sum(range(3))", "!echo hello", "names = !echo a", "%who_ls"],
)
def test_a_cell_may_hold_magics_and_shell_commands(shell: InteractiveShell, line: str) -> None:
    train = f"{line}\ndef train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):\n    return 1.0\n"
    shell.run_cell_magic("tune", FLAGS.format(name="m"), train)
    assert shell.user_ns["study"].best_value == 1.0


def test_a_cell_may_await_and_its_function_too(shell: InteractiveShell) -> None:
    cell = (
        "import asyncio\nawait asyncio.sleep(0)\noffset = await asyncio.sleep(0, 3.0)\n"
        "async def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):\n"
        "    await asyncio.sleep(0)\n    return offset\n"
    )
    shell.run_cell_magic("tune", FLAGS.format(name="a"), cell)
    assert shell.user_ns["study"].best_value == 3.0


def test_the_variable_is_set_and_hints_speak_of_flags_when_a_cell_fails(
    shell: InteractiveShell,
) -> None:
    cell = "def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):\n    return {value}\n"
    shell.run_cell_magic("tune", FLAGS.format(name="f"), cell.format(value=1.0))
    del shell.user_ns["study"]
    with pytest.raises(ConflictError, match=r"constant 1\.0 -> 2\.0 in train") as caught:
        shell.run_cell_magic("tune", FLAGS.format(name="f"), cell.format(value=2.0))
    assert "--resume force" in caught.value.hint
    assert "resume=" not in caught.value.hint
    assert shell.user_ns["study"].best_value == 1.0


def test_an_interrupted_cell_keeps_its_study(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(study: Study, *_: object, **__: object) -> Study:
        print(f"The study {study.name!r} goes on")
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "wait", interrupted)
    shell.run_cell_magic("tune", FLAGS.format(name="i"), CELL.replace("data, *, seed", "*, data=0"))
    monkeypatch.undo()
    assert shell.user_ns["study"].wait(quiet=True).state == "completed"
    assert "goes on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--data parts['a b'] --name x", ["--data", "parts['a b']", "--name", "x"]),
        ('--group "sar=VV* VH*"', ["--group", "sar=VV* VH*"]),
        ('--name="a b"', ["--name=a b"]),
        ("--params dict(lr=1, kind='a b')", ["--params", "dict(lr=1, kind='a b')"]),
        ("", []),
    ],
)
def test_quotes_inside_a_flag_belong_to_it(line: str, words: list[str]) -> None:
    assert split_flags(line) == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Say data=, or give it", "Say --data, or give it"),
        ('or resume="force" to go', "or --resume force to go"),
        ("check_metric=False if", "--no-check-metric if"),
        ("ws.study(n=1) and f(name=2)", "ws.study(n=1) and f(name=2)"),
    ],
)
def test_options_are_said_as_flags(text: str, said: str) -> None:
    flags = ["--data", "--resume", "--no-check-metric", "--name"]
    assert in_flags(text, flags) == said


def test_a_magic_of_others_keeps_its_name_and_ours_is_told(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    def theirs(line: str, cell: str) -> str:
        return f"theirs {line}"

    def register(name: str) -> None:
        flags.register_cell(shell, name, lambda line, cell: "ours", lambda: FlagParser(name, ""))

    shell.register_magic_function(theirs, "cell", "first")
    register("first")
    assert "%%first is not eolab's here: eolab's is %%eo_first" in capsys.readouterr().out
    register("second")
    register("second")  # eolab loaded again
    assert capsys.readouterr().out == ""
    shell.register_magic_function(theirs, "cell", "second")
    shell.run_cell("1")
    shell.run_cell("2")
    assert capsys.readouterr().out.count("eolab's is %%eo_second") == 1
    for name in ("first", "second"):
        assert shell.run_cell_magic(name, "x", "1") == "theirs x"
        assert shell.run_cell_magic(f"eo_{name}", "", "1") == "ours"
