"""Deleting, renaming, archiving and undoing hold for whatever a workspace keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from eolab import tidying
from eolab.cli.app import main
from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.facade import Workspace
from eolab.features import FeatureGroup, FeatureView
from eolab.features.groups.registry import Registry
from eolab.files import locks
from eolab.records import deleted, lineage, titles
from eolab.records.lineage import Ref
from eolab.settings.config import Config

LABELS = pd.DataFrame({"id": ["a", "b", "c", "d"], "crop": ["x", "y", "x", "y"]})
ROWS = pd.DataFrame({"id": ["a", "b", "c", "d"], "ndvi": [0.1, 0.2, 0.3, 0.4]})


@pytest.fixture
def ws(config: Config) -> Workspace:
    return Workspace(config)


@pytest.fixture
def group(ws: Workspace) -> FeatureGroup:
    made = ws.features.create_feature_group("spectra", primary_key="id", online_enabled=True)
    made.insert(ROWS)
    return made


@pytest.fixture
def view(ws: Workspace, group: FeatureGroup) -> FeatureView:
    truth = ws.features.create_feature_group("truth", primary_key="id")
    truth.insert(LABELS)
    return ws.features.create_feature_view(
        "season", labels=truth.select("crop"), query=group.select("ndvi")
    )


def test_a_group_comes_back_with_its_rows_history_title_and_what_is_served(
    ws: Workspace, group: FeatureGroup
) -> None:
    group.insert(ROWS.tail(1).assign(ndvi=0.9))
    ws.rename(group, "Spectra of 2021")
    commits = group.commits()
    entry = ws.delete(group)
    assert (entry.kind, entry.name, entry.title) == ("group", "spectra/1", "Spectra of 2021")
    assert ws.features.feature_groups() == []
    with pytest.raises(NotFoundError, match="was deleted"):
        group.insert(ROWS)
    assert not (ws.config.features / "groups" / "spectra" / "1").exists()
    ws.restore(entry)
    again = ws.features.feature_group("Spectra of 2021")
    assert again.commits() == commits
    assert again.read()["ndvi"].tolist() == [0.1, 0.2, 0.3, 0.9]
    assert again.insert(ROWS).total == 4
    assert ws.deleted() == []


def test_a_name_that_is_used_again_has_its_own_rows_and_the_old_one_is_not_put_over_it(
    ws: Workspace, group: FeatureGroup
) -> None:
    old = ws.delete(group)
    new = ws.features.create_feature_group("spectra", primary_key="id", event_time="t")
    new.insert(pd.DataFrame({"id": ["z"], "t": pd.to_datetime(["2021-01-01"], utc=True)}))
    with pytest.raises(ConflictError, match="there is a group 'spectra/1' again"):
        ws.restore(old)
    with pytest.raises(NotFoundError, match="was deleted"):
        group.delete_rows(pd.DataFrame({"id": ["a"]}))  # an object of before
    assert new.read()["id"].tolist() == ["z"]
    ws.delete(new)
    ws.restore(old)
    assert ws.features.feature_group("spectra").read()["id"].tolist() == list("abcd")


def test_what_views_read_is_deleted_with_them_or_not_at_all(
    ws: Workspace, group: FeatureGroup, view: FeatureView
) -> None:
    view.create_training_dataset(view.train_test_split(by="random"))
    assert ws.dependents(group).broken == (Ref("view", "season/1"),)
    assert Ref("dataset", "season/1#1") in ws.dependents(group).made
    with pytest.raises(ConflictError, match="read by the feature view 'season/1'"):
        ws.delete(group)
    ws.delete(group, cascade=True)
    assert {entry.name for entry in ws.deleted()} == {"spectra/1", "season/1"}
    with pytest.raises(NotFoundError, match="spectra"):
        ws.restore("view season/1")
    ws.restore("group spectra")
    ws.restore("view season")
    assert len(ws.features.feature_view("season").training_dataset(1).read().train)


def test_the_number_of_a_deleted_dataset_is_not_given_again(
    ws: Workspace, view: FeatureView
) -> None:
    split = view.train_test_split(by="random")
    first = view.create_training_dataset(split)
    entry = ws.delete(first)
    assert view.training_datasets() == []
    second = view.create_training_dataset(split)
    assert second.version == 2
    ws.restore(entry)
    assert [each.version for each in view.training_datasets()] == [1, 2]


def test_a_group_that_is_written_to_is_not_deleted(ws: Workspace, group: FeatureGroup) -> None:
    with (
        locks.using(ws.config.features / "groups" / "spectra" / "1"),
        pytest.raises(ConflictError, match="'spectra/1' is being written to"),
    ):
        ws.delete(group)
    assert len(ws.features.feature_group("spectra").read()) == 4


def test_an_empty_group_is_declared_anew_and_one_with_rows_is_not(ws: Workspace) -> None:
    store = ws.features
    slip = store.create_feature_group("g", primary_key="id", event_time="date")
    group = store.create_feature_group("g", primary_key="id", event_time="time")
    assert group.event_time == "time"
    rows = pd.DataFrame({"id": ["a"], "time": pd.to_datetime(["2021-05-01"], utc=True)})
    with pytest.raises(ConflictError, match="declared anew"):
        slip.insert(rows)
    group.insert(rows)
    with pytest.raises(ConflictError, match="exists already"):
        store.create_feature_group("g", primary_key="id")


@pytest.mark.parametrize("way", ["opened", "made"])
def test_what_a_killed_deletion_left_is_finished(
    ws: Workspace,
    group: FeatureGroup,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    ws.rename(group, "Mine")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", _die)
        with pytest.raises(KeyboardInterrupt):
            ws.delete(group)
    assert ws.features.feature_groups() == []
    if way == "opened":
        ws = Workspace(config)
        assert titles.read(config.root) == {}
        ws.restore("group Mine")
        assert len(ws.features.feature_group("Mine").read()) == 4
    else:
        new = ws.features.create_feature_group("spectra", primary_key="id")
        with pytest.raises(ConflictError, match="nothing was inserted"):
            new.read()
        assert [entry.name for entry in ws.deleted()] == ["spectra/1"]


def test_what_a_killed_restoration_left_is_in_the_bin_again(
    ws: Workspace, group: FeatureGroup, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = ws.delete(group)
    with monkeypatch.context() as patch:
        patch.setattr(Registry, "bring_back", _die)
        patch.setattr(deleted, "_close", _die)  # nor is anything taken back
        with pytest.raises(KeyboardInterrupt):
            ws.restore(entry)
    ws = Workspace(config)
    assert ws.deleted() == [entry]
    ws.restore(entry)
    assert len(ws.features.feature_group("spectra").read()) == 4


def test_an_interrupt_just_after_a_step_loses_nothing(
    ws: Workspace, group: FeatureGroup, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = config.runs / "s"
    study.mkdir(parents=True)
    (study / "rows").touch()
    for owner, step, act in (
        (Path, "rename", lambda: deleted.put(config.root, "study", "s", study)),
        (Registry, "remove", lambda: ws.delete(group)),
        (Registry, "bring_back", lambda: ws.restore("group spectra")),
    ):
        done = getattr(owner, step)

        def interrupted(*given: object, done: Callable[..., object] = done) -> None:
            done(*given)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(owner, step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                act()
        Workspace(config)
    assert [(entry.name, (entry.folder / "rows").exists()) for entry in ws.deleted()] == [
        ("s", True)
    ]
    assert len(ws.features.feature_group("spectra").read()) == 4


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_title_opens_a_thing_and_its_old_name_says_the_new_one(
    ws: Workspace, view: FeatureView, group: FeatureGroup
) -> None:
    ws.rename(group, " Reflectance, Brandenburg ")
    found = ws.features.feature_group("Reflectance, Brandenburg")
    assert found.label == "spectra/1"
    with pytest.warns(UserWarning, match="'spectra/1' is called 'Reflectance, Brandenburg' now"):
        ws.features.feature_group("spectra")
    assert ws.features.feature_view("season").features == ("ndvi",)  # says nothing of its group
    with pytest.raises(ConflictError, match="is called"):
        ws.rename("group truth", "Reflectance, Brandenburg")
    with pytest.raises(ConflictError, match="there is a group 'truth'"):
        ws.rename(group, "truth")
    with pytest.raises(InvalidInputError, match="title"):
        ws.rename(group, "two\nlines")
    ws.rename(group, "other")
    with pytest.raises(ConflictError, match="is called 'other'"):
        ws.features.create_feature_group("other", primary_key="id")
    ws.rename(group, "spectra")
    assert titles.read(ws.root) == {}


def test_archived_is_shown_again_by_restore(ws: Workspace, group: FeatureGroup) -> None:
    ws.archive(group)
    assert ws.archived() == [Ref("group", "spectra/1")]
    ws.restore("group spectra")
    assert ws.archived() == []
    with pytest.raises(NotFoundError, match="no group 'spectra' was deleted"):
        ws.restore("group spectra")


def test_a_name_opens_its_own_thing_before_one_of_this_title(
    ws: Workspace, group: FeatureGroup
) -> None:
    entry = ws.delete(group)
    other = ws.features.create_feature_group("other", primary_key="id")
    other.insert(ROWS)
    ws.rename(other, "spectra")
    with pytest.raises(ConflictError, match="'other/1' is called 'spectra' now"):
        ws.restore(entry)
    ws.rename(other, "other")
    ws.restore(entry)
    titles.rename(ws.root, Ref("group", "other/1"), "spectra", [])  # by an eolab of before
    assert ws.delete("group spectra").name == "spectra/1"
    assert ws.delete("group spectra").name == "other/1"  # nothing else is called so now
    assert tidying.find(ws.config, "group", "spectra").name == "spectra/1"


def test_a_title_that_is_a_name_by_now_is_left_off_and_told(
    ws: Workspace, group: FeatureGroup
) -> None:
    ws.rename(group, "reflectance")
    entry = ws.delete(group)
    ws.features.create_feature_group("reflectance", primary_key="id")
    with pytest.warns(UserWarning, match="title 'reflectance' is another group's now"):
        ws.restore(entry)
    assert titles.read(ws.root) == {}
    assert ws.features.feature_group("reflectance").label == "reflectance/1"


def test_the_parts_of_what_was_deleted_leave_their_titles_and_marks_with_it(
    ws: Workspace, view: FeatureView, group: FeatureGroup
) -> None:
    view.create_training_dataset(view.train_test_split(by="random"))
    part = Ref("dataset", "season/1#1")
    ws.rename(part, "First split")
    ws.archive(part)
    entry = ws.delete(view)
    assert ws.archived() == []
    truth = ws.features.feature_group("truth")
    new = ws.features.create_feature_view(
        "season", labels=truth.select("crop"), query=group.select("ndvi")
    )
    assert titles.read(ws.root) == {}
    ws.delete(new)
    ws.restore(entry)
    assert titles.read(ws.root) == {part: titles.Display("First split", archived=True)}


def test_what_is_archived_is_restored_though_the_bin_has_one_of_its_name(
    ws: Workspace, group: FeatureGroup
) -> None:
    ws.delete(group)
    new = ws.features.create_feature_group("spectra", primary_key="id", event_time="t")
    ws.archive(new)
    ws.restore("group spectra/1")
    assert ws.archived() == []
    assert len(ws.deleted()) == 1


def test_a_deletion_that_fails_halfway_takes_back_what_went_before(
    ws: Workspace, group: FeatureGroup, view: FeatureView
) -> None:
    with (
        locks.using(ws.config.features / "groups" / "spectra" / "1"),
        pytest.raises(ConflictError, match="'spectra/1' is being written to"),
    ):
        ws.delete(group, cascade=True)
    assert ws.deleted() == []
    assert ws.features.feature_view("season").features == view.features


def test_a_damaged_entry_of_the_bin_is_told_and_shuts_no_workspace(
    ws: Workspace, group: FeatureGroup, config: Config
) -> None:
    entry = ws.delete(group)
    place = entry.folder.parent
    document = json.loads((place / "entry.json").read_text())
    (place / "entry.json").write_text(json.dumps({**document, "record": {}}))
    (place / "open").touch()
    assert Workspace(config).deleted() == [entry]
    with pytest.raises(ConflictError, match="entry of group 'spectra/1' in the bin is damaged"):
        ws.restore(entry)
    for gone in ("format", "parts"):
        (place / "entry.json").write_text(json.dumps({**document, gone: [{}]}))
        assert Workspace(config).deleted() == []


def test_lineage_goes_on_naming_what_was_deleted_as_deleted(
    ws: Workspace, view: FeatureView
) -> None:
    view.create_training_dataset(view.train_test_split(by="random"))
    node, commit = Ref("view", "season/1"), Ref("commit", "spectra/1@0")
    nodes = [node, commit, Ref("dataset", "season/1#1"), Ref("group", "truth/1")]
    ws.delete("group spectra", cascade=True)
    assert lineage.deleted_among(ws.root, nodes) == set(nodes[:3])
    assert commit in ws.lineage("dataset", "season/1#1")["upstream"]
    ws.restore("group spectra")
    assert lineage.deleted_among(ws.root, nodes) == {node, nodes[2]}


def test_things_are_named_by_kind_and_name(ws: Workspace, group: FeatureGroup) -> None:
    del group
    for wrong, said in (
        ("forest", "names no thing"),
        ("grop spectra", "no kind 'grop'"),
        ("group spectr", "no feature group 'spectr'"),
        ("dataset season", "has no version"),
        ("study forest", "no study 'forest'"),
        (3, "a int cannot be deleted"),
    ):
        with pytest.raises((InvalidInputError, NotFoundError), match=said):
            ws.delete(wrong)


def test_the_command_line_deletes_renames_archives_and_restores(
    ws: Workspace, group: FeatureGroup, capsys: pytest.CaptureFixture[str]
) -> None:
    del group
    place = ["--workspace", str(ws.config.file)]

    def run(*words: str) -> str:
        assert main([words[0], *place, *words[1:]]) == 0
        return capsys.readouterr().out

    assert "is called 'Mine'" in run("rename", "group", "spectra", "Mine")
    assert "archived" in run("archive", "group", "Mine")
    assert json.loads(run("bin", "--json"))["archived"] == [{"kind": "group", "id": "spectra/1"}]
    assert "eolab restore group spectra/1" in run("delete", "group", "spectra/1")
    (entry,) = json.loads(run("bin", "--json"))["deleted"]
    assert (entry["kind"], entry["name"], entry["title"]) == ("group", "spectra/1", "Mine")
    assert "spectra/1" in run("bin")
    answer = json.loads(run("restore", "group", "spectra/1", "--json"))
    assert answer == {"kind": "group", "id": "spectra/1"}
    assert main(["restore", *place, "group", "nothing"]) == 1
    assert "no group 'nothing' was deleted" in capsys.readouterr().err


def test_what_is_too_old_goes_for_good(ws: Workspace, group: FeatureGroup, config: Config) -> None:
    entry = ws.delete(group)
    file = entry.folder.parent / "entry.json"
    then = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    file.write_text(json.dumps({**json.loads(file.read_text()), "deleted": then}))
    assert Workspace(config).deleted() == [replace(entry, deleted=datetime.fromisoformat(then))]
    (file.parent / "due").write_text("0.0")  # it was found too old a day ago
    assert Workspace(config).deleted() == []
    assert not entry.folder.parent.exists()
