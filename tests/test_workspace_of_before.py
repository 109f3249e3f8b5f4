"""A workspace made before the folders of eolab were rebuilt opens unchanged.

`scripts/workspace_of_before.py` made `tests/data/before.zip` with the eolab of then, and wrote into
its `expected.json` what that one made of it. Names in its pickles and in the digests of its studies
are those of then: whatever is renamed must still answer to them.
"""

from __future__ import annotations

import importlib
import json
import math
import pickletools
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eolab as eo
from eolab.cli.app import main
from eolab.records import saved_searches
from eolab.studies.client.launch import await_commands
from eolab.studies.journal import files as journal
from tests.server.conftest import start, stop

# Its pickles and cells use the names of then.
pytestmark = pytest.mark.filterwarnings("ignore:.*the old name goes with the next release")

ARCHIVE = Path(__file__).with_name("data") / "before.zip"
PLACE = "/tmp/eolab-before"
"""Where it was made: texts and MLflow's database name it."""

with zipfile.ZipFile(ARCHIVE) as _archive:
    EXPECTED = json.loads(_archive.read("expected.json"))

runs_code = pytest.mark.skipif(
    list(sys.version_info[:2]) != EXPECTED["python"],
    reason="functions travel as bytecode, and the archive holds that of Python "
    + ".".join(map(str, EXPECTED["python"])),
)


def unpack(folder: Path) -> Path:
    """Unpack the archive, and let it name its new folder, this Python and this eolab."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    for path in folder.rglob("*.json"):
        text = path.read_text()
        if PLACE in text:
            path.write_text(text.replace(PLACE, str(folder)))
    for path in folder.glob("workspace/runs/*/study.json"):
        document = json.loads(path.read_text())
        document.update(python=sys.executable, library=str(Path(eo.__file__).parents[1]))
        path.write_text(json.dumps(document))
    with closing(sqlite3.connect(folder / "workspace" / "mlflow.db")) as database, database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master "
                                                       "WHERE type = 'table'")]  # fmt: skip
        for table in tables:
            for column in [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]:
                database.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) '
                    f'WHERE instr("{column}", ?)',
                    (PLACE, str(folder), PLACE),
                )
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The unpacked archive; studies that a test leaves behind are ended."""
    monkeypatch.delenv("EOLAB_WORKSPACE", raising=False)
    folder = unpack(tmp_path / "root")
    yield folder
    ws = eo.workspace(folder)
    for name in EXPECTED["studies"]:
        study = ws.study(name)
        if journal.is_alive(study.folder) and study.state in {"running", "paused"}:
            study.cancel()


@pytest.fixture
def ws(place: Path):
    return eo.workspace(place)


def run_cells(place: Path) -> dict[str, object]:
    """What the user's cells define, run again."""
    names: dict[str, object] = {"__name__": "__main__"}
    path = place / "cells.py"
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names


def trials(study) -> list[dict[str, object]]:
    keys = {"n": "number"} | {key: key for key in ("state", "params", "value", "curve")}
    return [{key: trial[now] for key, now in keys.items()} for trial in study.trials]


def table(result) -> list[dict[str, object]]:
    frame = result.to_dataframe().rename(columns={"std": "spread"})  # its name of then
    kept = frame.drop(columns=[c for c in frame.columns if "second" in c])
    return json.loads(kept.to_json(orient="records"))


def said_today(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """A table of then without what nobody can know: chance, where no run differed from another."""
    unknown = dict.fromkeys(("low", "high", "p", "p_holm"))
    sure = [row["low"] is not None and row["low"] == row["high"] for row in rows]
    return [{**row, **unknown} if no else row for row, no in zip(rows, sure, strict=True)]


def same(found: object, expected: object) -> bool:
    """Whether plain JSON is equal, numbers up to the last digits."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(found[key], value) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))  # type: ignore[arg-type]
    if isinstance(expected, float) and isinstance(found, (int, float)):
        return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
    return found == expected


def digest(ws: eo.workspace, name: str) -> dict[str, str]:
    return json.loads((ws.config.runs / name / "study.json").read_text())["digest"]


# -- names in pickles ------------------------------------------------------------------------


def names_in(pickled: bytes) -> Iterator[tuple[str, str]]:
    """Module and name of whatever a pickle takes from a module."""
    texts: list[str] = []
    memo: list[str] = []
    for operation, argument, _ in pickletools.genops(pickled):
        if "UNICODE" in operation.name:
            texts.append(argument)
        elif operation.name == "MEMOIZE":
            memo.append(texts[-1] if texts else "")
        elif operation.name in {"BINGET", "LONG_BINGET"}:
            texts.append(memo[argument])
        elif operation.name == "GLOBAL":
            module, _, name = argument.partition(" ")
            yield module, name
        elif operation.name == "STACK_GLOBAL":
            yield texts[-2], texts[-1]


def ours() -> list[str]:
    """All that pickles of the archive name of ours."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        contents = [archive.read(name) for name in archive.namelist() if name.endswith(".pkl")]
    found = {pair for content in contents for pair in names_in(content)}
    return sorted(f"{module}:{name}" for module, name in found if module.startswith("eolab"))


@pytest.mark.parametrize("named", ours())
def test_what_pickles_name_is_there_and_is_no_second_copy(named: str) -> None:
    module, _, name = named.partition(":")
    found = getattr(importlib.import_module(module), name)
    assert getattr(importlib.import_module(found.__module__), found.__qualname__) is found


# -- reading ---------------------------------------------------------------------------------


def test_all_studies_are_read(ws) -> None:
    seen = {summary["name"]: summary for summary in ws.studies()}
    assert seen.keys() == EXPECTED["studies"].keys()
    for name, expected in EXPECTED["studies"].items():
        for key in ("state", "counts", "best", "kind"):
            assert same(seen[name][key], expected[key]), (name, key)
        study = ws.study(name)
        assert same(trials(study), expected["trials"])
        assert study.snapshot()["trials"]
        if expected["best"]:
            assert study.best["number"] == expected["best"]["trial"]


def test_the_command_line_lists_and_shows_them(place: Path, capsys) -> None:
    assert main(["studies", "list", "--workspace", str(place)]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in EXPECTED["studies"])
    assert main(["studies", "show", "ablated", "--workspace", str(place)]) == 0
    assert "without sar" in capsys.readouterr().out


def test_an_ablation_says_what_it_said(ws) -> None:
    ablation = ws.ablation("ablated")
    assert same(table(ablation.result()), said_today(EXPECTED["ablation"]["table"]))
    assert same(table(ablation.result("columns")), said_today(EXPECTED["ablation"]["per"]))


def test_a_group_is_read_as_of_each_commit(ws) -> None:
    group = ws.features.feature_group("fields")
    assert [commit.version for commit in group.commits()] == [0, 1, 2, 3]
    for expected in EXPECTED["history"]:
        then = pd.Timestamp(expected["ingested"], unit="us", tz="UTC")
        rows = group.read(known_at=then)[["field_id", "crop", "size"]]
        found = sorted([int(i), str(c), float(s)] for i, c, s in rows.itertuples(index=False))
        assert found == expected["rows"]
        assert len(found) == expected["total"]


def test_a_view_gives_the_same_training_data_splits_and_vectors(ws) -> None:
    view = ws.features.feature_view("crops")
    data = view.training_data()
    assert list(data.columns) == EXPECTED["view"]["columns"] == list(view.features)
    np.testing.assert_allclose(data.X[:4], EXPECTED["view"]["X"])
    ratio = data.X[:, data.columns.index("nir")] / data.X[:, data.columns.index("red")]
    np.testing.assert_allclose(data.X[:, data.columns.index("nir_over_red")], ratio, rtol=1e-6)
    assert data.digest() == EXPECTED["view"]["digest"]
    assert view.get_feature_vector({"field_id": 3}) == pytest.approx(EXPECTED["view"]["vector"])
    made = view.train_validation_test_split(by="random", seed=1)
    kept = view.training_dataset(1).read()
    for split in (made, kept):
        assert split.digest() == EXPECTED["split"]
        assert split.test.digest() == EXPECTED["test_part"]


def test_chips_are_read_each_by_its_digest(ws) -> None:
    patches = ws.features.chip_dataset("patches")
    assert patches.label == "patches#1"
    assert len([X for X, _ in patches]) == len(patches.ids)


def test_saved_searches_and_areas_are_there(ws) -> None:
    kept = saved_searches.read(ws.root)
    assert [entry["name"] for entry in kept["search"]] == ["fields in May"]
    assert kept["search"][0]["value"] == {"collections": ["fields"], "cloud": 20}
    assert [entry["name"] for entry in kept["area"]] == ["the farm"]


def test_the_search_over_everything_finds_the_same(ws) -> None:
    for word, expected in EXPECTED["search"].items():
        found = {kind: sorted(row["id"] for row in rows) for kind, rows in ws.search(word).items()}
        assert found == {kind: sorted(ids) for kind, ids in expected.items()}


def test_lineage_goes_from_the_scenes_to_the_model(ws) -> None:
    for node, expected in EXPECTED["lineage"].items():
        kind, _, name = node.partition(":")
        found = ws.lineage(kind, name)
        for side, refs in expected.items():
            assert [str(ref) for ref in found[side]] == refs
    made_from = {ref.kind for ref in ws.models.get("means").lineage()}
    assert {"study", "view", "commit", "cube", "item"} <= made_from


# -- models ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tree", pytest.param("means", marks=runs_code)])
def test_a_model_predicts_what_it_predicted(ws, name: str) -> None:
    if name == "tree" and version("scikit-learn") != EXPECTED["scikit-learn"]:
        pytest.skip(f"scikit-learn reads models of its own version: {EXPECTED['scikit-learn']}")
    expected = EXPECTED["models"][name]
    model = ws.models.get(name, "champion")
    test = ws.features.feature_view("crops").training_dataset(1).read().test
    assert same(dict(model.metrics), expected["metrics"])
    assert (model.version, dict(model.params)) == (expected["version"], expected["params"])
    assert model.predict(test).tolist() == expected["predictions"]
    assert model.predict_labels(test).tolist() == expected["labels"]
    assert set(expected["predictions"]) == {0, 1}


@runs_code
def test_a_study_of_then_is_refitted_to_the_same_model(ws, place: Path) -> None:
    (place / "cells.py").unlink()
    fitted = ws.study("ended").refit()
    test = ws.features.feature_view("crops").training_dataset(1).read().test
    found = fitted.load().predict(test.X)  # type: ignore[attr-defined]
    assert found.tolist() == EXPECTED["models"]["means"]["predictions"]


# -- going on --------------------------------------------------------------------------------


@runs_code
@pytest.mark.parametrize("name", ["paused", "own"])
def test_a_paused_study_is_resumed_by_the_command_line_without_its_code(
    ws, place: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trials that follow are those of a study that never paused."""
    if name == "paused" and version("optuna") != EXPECTED["optuna"]:
        pytest.skip(f"the trials to come were foretold by Optuna {EXPECTED['optuna']}")
    (place / "cells.py").unlink()
    monkeypatch.chdir(place.parent)
    study = ws.study(name)
    assert study.state == "paused"
    assert main(["studies", "resume", name, "--workspace", str(place)]) == 0
    until_ended(study)
    assert same(trials(study), EXPECTED["resumed"][name]), study.log(study.trials[-1]["number"])
    assert digest(ws, name) == EXPECTED["studies"][name]["digest"]


@runs_code
def test_a_paused_ablation_is_resumed_by_the_panel(ws, place: Path) -> None:
    (place / "cells.py").unlink()
    ablation = ws.ablation("paused-ablation")
    server = start(place.parent)
    try:
        assert server.get("studies/paused-ablation").json["state"] == "paused"
        answer = server.post("studies/paused-ablation/commands", {"command": "resume"})
        assert answer.status == 202, answer.body
        until_ended(ablation.study)
    finally:
        stop(server)
    assert same(trials(ablation.study), EXPECTED["resumed"]["paused-ablation"])
    assert same(table(ablation.result()), said_today(EXPECTED["resumed"]["table"]))
    assert digest(ws, "paused-ablation") == EXPECTED["studies"]["paused-ablation"]["digest"]


def until_ended(study) -> None:
    """Resumed by somebody else, it is still paused for a moment."""
    await_commands(study.folder)
    study.wait(timeout=60, quiet=True)
    assert study.state == "completed", study.message


def again_ended(ws, user: dict) -> object:
    return ws.tune(user["simple"], data=split_of(ws), **user["ENDED"])


def again_forest(ws, user: dict) -> object:
    return ws.tune(
        user["forest"], data=split_of(ws), name="forest", metric="accuracy", trials=3, workers=1,
        sampler="grid", tracking=False,
    )  # fmt: skip


def again_deep(ws, user: dict) -> object:
    """Its function uses functions and values of ours that are no part of the facade."""
    return ws.tune(user["thorough"], data=split_of(ws), **user["DEEP"])


def again_own_data(ws, user: dict) -> object:
    """Its data is a dictionary, known by its pickle."""
    return ws.tune(user["from_dict"], data=user["parts"](), **user["OWN"])


def again_ablated(ws, user: dict) -> object:
    return ws.ablate(user["judged"], data=user["table"](), **user["ABLATED"]).study


def split_of(ws):
    view = ws.features.feature_view("crops")
    return view.train_validation_test_split(by="random", seed=1)


@runs_code
@pytest.mark.parametrize(
    "again", [again_ended, again_forest, again_deep, again_own_data, again_ablated]
)
def test_a_cell_run_again_attaches_to_its_study(
    ws, place: Path, again: Callable[[object, dict], object]
) -> None:
    """The digests of code, space, data and options are those of then; nothing is run."""
    study = again(ws, run_cells(place))
    expected = EXPECTED["studies"][study.name]  # type: ignore[attr-defined]
    assert digest(ws, study.name) == expected["digest"]  # type: ignore[attr-defined]
    assert same(trials(study), expected["trials"])
    assert not (study.folder / journal.PROCESS).exists()  # type: ignore[attr-defined]
