"""A model and its versions come back from the bin as they were, in MLflow too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eolab.errors import ConflictError, NotFoundError
from eolab.facade import Workspace
from eolab.records import deleted, lineage
from eolab.records.lineage import Ref


def test_a_version_keeps_its_number_its_alias_and_its_files(
    workspace, make_fitted, model, test_part
):
    ws = Workspace(workspace)
    first = ws.models.register("crops", make_fitted(model), test=test_part)
    second = ws.models.register("crops", make_fitted(model, "r2", params={}), metrics={"a": 1.0})
    entry = ws.delete(first)
    assert (entry.kind, entry.name) == ("model", "crops/1")
    assert [version.version for version in ws.models.list()] == [second.version]
    with pytest.raises(NotFoundError, match="no version 'champion'"):
        ws.models.get("crops", "champion")
    assert not first.folder.exists()
    ws.restore(entry)
    again = ws.models.get("crops", "champion")
    assert again == first
    assert (again.predict(test_part) == model.predict(test_part.X)).all()


def test_a_model_comes_back_with_all_versions_and_its_name_is_free_meanwhile(
    workspace, make_fitted, model, test_part
):
    ws = Workspace(workspace)
    old = ws.models.register("crops", make_fitted(model), test=test_part)
    ws.rename("model crops", "Crops of Brandenburg")
    entry = ws.delete("model Crops of Brandenburg")
    assert ws.models.list() == []
    assert lineage.deleted_among(ws.root, [Ref("model", "crops/1")])
    new = ws.models.register("crops", make_fitted(model, "r2"), description="another")
    assert (new.version, new.aliases) == (1, ("champion",))
    assert not lineage.deleted_among(ws.root, [Ref("model", "crops/1")])
    with pytest.raises(ConflictError, match="there is a model 'crops' again"):
        ws.restore(entry)
    ws.delete("model crops")
    ws.restore(entry)
    assert ws.models.get("Crops of Brandenburg") == old
    assert ws.models.get("Crops of Brandenburg").load() is not None


@pytest.mark.parametrize("what", ["crops", "crops/1"])
def test_what_a_killed_deletion_left_is_finished_and_goes_after_30_days(
    workspace, make_fitted, model, monkeypatch, what
):
    ws = Workspace(workspace)
    ws.models.register("crops", make_fitted(model))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", die)
        with pytest.raises(KeyboardInterrupt):
            ws.delete(f"model {what}")
    ws = Workspace(workspace)
    (entry,) = ws.deleted()
    assert entry.folder.is_dir()
    assert ws.models.list() == []
    file = entry.folder.parent / "entry.json"
    then = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    file.write_text(json.dumps({**json.loads(file.read_text()), "deleted": then}))
    (file.parent / "due").write_text("0.0")  # it was found too old a day ago
    ws = Workspace(workspace)
    assert ws.deleted() == []
    assert ws.models.list() == []
    with pytest.raises(NotFoundError, match="not in the bin any more"):
        deleted.restore(ws.root, entry)


def test_a_model_that_is_being_registered_is_not_deleted(workspace, make_fitted, model):
    from eolab.files import locks

    ws = Workspace(workspace)
    version = ws.models.register("crops", make_fitted(model))
    with (
        locks.locked_folder(version.folder),
        pytest.raises(ConflictError, match="just being registered"),
    ):
        ws.delete("model crops")
    assert ws.models.get("crops") == version
