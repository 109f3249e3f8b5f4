"""Many studies and large ones: what is asked again is not read again."""

from __future__ import annotations

import json
import threading

import pytest

from eolab.errors import InvalidInputError, NotFoundError
from eolab.files import writes
from eolab.server import study_readers
from eolab.server.study_readers import KEPT, Followers
from eolab.studies.journal.files import Follower, Writer


@pytest.fixture
def opened(monkeypatch):
    """The folders whose journals were opened anew."""
    folders = []
    original = study_readers.Reader.__init__

    def counted(self, folder):
        folders.append(folder.name)
        original(self, folder)

    monkeypatch.setattr(study_readers.Reader, "__init__", counted)
    return folders


def test_the_list_of_many_ended_studies_is_read_once(config, write_study, opened):
    for n in range(KEPT * 2):
        write_study(config.runs / f"s{n}", trials=1)
    readers = Followers()
    first = readers.summaries(config)
    assert len(opened) == KEPT * 2
    second = readers.summaries(config)
    assert len(opened) == KEPT * 2
    assert [{**r, "now": 0} for r in first] == [{**r, "now": 0} for r in second]


def test_an_ended_study_that_goes_on_is_read_again(config, write_study):
    run = write_study(config.runs / "crops", trials=1)
    readers = Followers()
    (row,) = readers.summaries(config)
    assert row["state"] == "completed"
    writer = Writer(run)
    writer.append({"t": 3_000.0, "e": "state", "state": "running"})
    writer.append({"t": 3_000.0, "e": "trial", "n": 1, "params": {}})
    writer.close()
    (row,) = readers.summaries(config)
    assert row["state"] == "interrupted"
    assert row["counts"]["queued"] == 1


def test_the_newest_study_comes_first(config, write_study):
    for n, name in enumerate(("a", "b", "c")):
        run = write_study(config.runs / name, trials=1)
        document = json.loads((run / "study.json").read_text())
        writes.write_json(run / "study.json", document | {"created": [2.0, 3.0, 1.0][n]})
    assert [row["name"] for row in Followers().summaries(config)] == ["b", "a", "c"]


def test_a_study_made_again_under_its_name_is_another_one(config, write_study):
    import shutil

    readers = Followers()
    run = write_study(config.runs / "crops", trials=3)
    assert len(json.loads(readers.reader(run).snapshot(None))["trials"]) == 3
    shutil.rmtree(run)
    write_study(run, trials=1)
    (run / "events.jsonl").unlink()  # its process has not written yet
    assert json.loads(readers.reader(run).snapshot(None))["trials"] == []
    shutil.rmtree(run)
    write_study(run, trials=1)
    assert len(json.loads(readers.reader(run).snapshot(None))["trials"]) == 1


def test_the_kept_texts_say_what_the_journal_says(config, write_study):
    run = write_study(config.runs / "crops", trials=5)
    reader = Followers().reader(run)
    seen = json.loads(reader.snapshot(None))
    writer = Writer(run)
    for event in (
        {"e": "requeue", "n": 3, "a": 1, "reason": "retry", "fresh": True},
        {"e": "start", "n": 3, "a": 2, "w": "w1"},
        {"e": "trial", "n": 5, "params": {"lr": 0.5}},
        {"e": "report", "n": 3, "a": 2, "step": 0, "m": {"f1": float(7)}},
    ):
        writer.append({"t": 3_000.0, **event})
        changed = json.loads(reader.snapshot(seen["seq"]))
        assert changed["partial"]
        seen = put_into(seen, changed)
        whole = Follower(run).snapshot()
        assert json.loads(json.dumps(whole["trials"])) == seen["trials"]
    writer.close()


def test_a_study_with_the_plan_of_an_ablation_is_one(config, write_study):
    readers = Followers()
    run = write_study(config.runs / "crops", trials=1)
    assert readers.reader(run).summary()["kind"] == "tune"
    writes.write_json(run / "ablation.json", {"format": 1})
    assert readers.reader(run).summary()["kind"] == "ablation"
    assert json.loads(readers.reader(run).snapshot(None))["kind"] == "ablation"


def test_only_the_new_end_of_a_running_curve_is_sent(config, write_study):
    run = write_study(config.runs / "crops", trials=2)
    reader = Followers().reader(run)
    writer = Writer(run)

    def write(*events):
        for event in events:
            writer.append({"t": 3_000.0, "n": 2, "a": 1, **event})

    def ask():
        nonlocal seen
        answer = json.loads(reader.snapshot(seen["seq"], tails=True))
        seen = put_into(seen, answer)
        assert json.loads(json.dumps(Follower(run).snapshot()["trials"])) == seen["trials"]
        return {trial["number"]: trial for trial in answer["trials"]}

    def report(step, value):
        return {"e": "report", "step": step, "m": {"f1": value}}

    seen = json.loads(reader.snapshot(None))
    write({"e": "trial", "params": {"lr": 0.5}}, {"e": "start", "w": "w1"}, report(0, 0.5))
    assert ask()[2]["curve"] == [[0.0, 0.5]]
    write(report(1, 0.6), report(2, 0.7))
    assert ask()[2]["tail"] == [[1.0, 0.6], [2.0, 0.7]]
    # A second client asks in between; each gets what it lacks.
    other = json.loads(reader.snapshot(None))
    write(report(3, 0.8))
    (told,) = json.loads(reader.snapshot(other["seq"], tails=True))["trials"]
    assert ask()[2]["tail"] == told["tail"] == [[3.0, 0.8]]
    # It goes back and reports anew: the same number of points, but not the same ones.
    write(report(1, 0.1), report(2, 0.7), report(3, 0.8))
    assert "tail" not in ask()[2]
    write(report(4, 0.9), {"e": "finish", "state": "completed", "value": 0.9})
    told = ask()[2]
    assert (told["tail"], told["state"]) == ([[4.0, 0.9]], "completed")
    # One that does not know of tails gets whole curves.
    writer.append({"t": 3_000.0, "n": 2, "a": 1, **report(5, 1.0)})
    assert len(json.loads(reader.snapshot(seen["seq"]))["trials"][0]["curve"]) == 6
    writer.close()


def put_into(seen, changed):
    """What a client does with an answer to `since`."""
    known = {trial["number"]: trial for trial in seen["trials"]}
    for trial in changed["trials"]:
        curve = (
            trial["curve"] if "curve" in trial else known[trial["number"]]["curve"] + trial["tail"]
        )
        known[trial["number"]] = {k: v for k, v in trial.items() if k != "tail"} | {"curve": curve}
    return {**changed, "trials": list(known.values())}


def test_many_threads_read_one_study(config, write_study):
    run = write_study(config.runs / "crops", trials=30)
    readers = Followers()
    texts, errors = [], []

    def read():
        try:
            texts.extend(readers.reader(run).snapshot(None) for _ in range(20))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert {len(json.loads(text)["trials"]) for text in texts} == {30}


@pytest.mark.parametrize("name", ["..", "a/b", "", ".x", "a\n"])
def test_a_name_that_is_no_folder_name_is_refused(config, name):
    with pytest.raises((InvalidInputError, NotFoundError)):
        Followers().folder(config, name)
