"""Routes of studies answer as the contract says, and tell what is wrong with bad input."""

from __future__ import annotations

import io
import json
import os
import shutil

import pandas as pd
import pytest

from eolab.records import lineage
from eolab.records.lineage import Ref
from eolab.studies.journal.files import Writer, is_alive, take_lock

SUMMARY = {
    "name", "kind", "state", "message", "metric", "direction", "created", "started", "ended", "now",
    "budget", "counts", "best", "best_curve", "workers_alive", "seq", "workers", "allowed",
}  # fmt: skip


def test_studies_are_listed_short_and_shown_whole(server):
    (row,) = server.get("studies").json["studies"]
    assert set(row) == SUMMARY
    assert row["counts"]["completed"] == 3
    assert row["best"] == {"trial": 2, "value": 2.5, "params": {"lr": 0.2}}
    body = server.get("studies/crops").json
    assert set(body) == SUMMARY | {"parameters", "allowed_of_trials", "trials", "partial"}
    assert [t["number"] for t in body["trials"]] == [0, 1, 2]
    assert body["trials"][0]["curve"] == [[0.0, 0.5]]


def test_only_what_changed_is_sent_again(server):
    body = server.get("studies/crops").json
    same = server.get("studies/crops", since=body["seq"]).json
    assert same["partial"] is True
    assert same["trials"] == []
    assert {k: v for k, v in same.items() if k not in {"trials", "partial", "now"}} == {
        k: v for k, v in body.items() if k not in {"trials", "partial", "now"}
    }
    writer = Writer(server.config.runs / "crops")
    writer.append({"t": 3_000.0, "e": "trial", "n": body["seq"], "params": {"lr": 0.9}})
    writer.close()
    more = server.get("studies/crops", since=body["seq"]).json
    assert [t["number"] for t in more["trials"]] == [body["seq"]]
    assert more["seq"] == body["seq"] + 1
    whole = server.get("studies/crops", since=10**9).json
    assert whole["partial"] is False
    assert len(whole["trials"]) >= 4


def test_the_log_of_a_trial(server):
    answer = server.get("studies/crops/trials/1/log")
    assert answer.json == {"text": "trial 1 says hello\n", "truncated": False}
    assert server.get("studies/crops/trials/99/log").status == 404
    (server.config.runs / "crops" / "logs" / "0.1.log").unlink()
    answer = server.get("studies/crops/trials/0/log")
    assert answer.status == 404
    assert "nothing yet" in answer.json["message"]


def test_the_log_is_that_of_the_last_attempt_and_its_end(server):
    log = server.config.runs / "crops" / "logs" / "2.10.log"
    log.write_text("x" * 300_000 + "the end")
    answer = server.get("studies/crops/trials/2/log").json
    assert answer["truncated"] is True
    assert answer["text"].endswith("the end")
    assert len(answer["text"]) < 300_000


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[]", b'"pause"', {}, {"command": "explode"}, {"command": 3},
        {"command": "stop"}, {"command": "stop", "number": -1}, {"command": "stop", "number": "1"},
        {"command": "stop", "number": True}, {"command": "pause", "number": 1}, {"command": "set"},
        {"command": "set", "trials": 1.5}, {"command": "set", "path": "/etc"},
    ],
    ids=str,
)  # fmt: skip
def test_a_command_that_makes_no_sense_is_400(server, body):
    answer = server.post("studies/crops/commands", body)
    assert answer.status == 400
    assert answer.json["message"]
    assert answer.json["hint"]
    assert not (server.config.runs / "crops" / "commands.jsonl").exists()


def test_a_command_that_cannot_apply_is_409(server):
    answer = server.post("studies/crops/commands", {"command": "pause"})
    assert answer.status == 409
    assert "completed" in answer.json["message"]
    assert server.post("studies/crops/commands", {"command": "retry", "number": 0}).status == 409
    assert server.post("studies/crops/commands", {"command": "retry", "number": 77}).status == 404


def test_commands_are_written_where_the_study_reads_them(server, write_study):
    run = write_study(server.config.runs / "lively", state="running")
    lock = take_lock(run)  # as its process holds it
    try:
        assert is_alive(run)
        for body in ({"command": "pause"}, {"command": "set", "trials": 9, "workers": 2}):
            answer = server.post("studies/lively/commands", body)
            assert (answer.status, answer.json) == (202, {"accepted": True})
        lines = [json.loads(x) for x in (run / "commands.jsonl").read_text().splitlines()]
        assert [line["command"] for line in lines] == ["pause", "set"]
        assert (lines[1]["trials"], lines[1]["workers"]) == (9, 2)
    finally:
        os.close(lock)
        shutil.rmtree(run)


def test_a_damaged_study_does_not_hide_the_others(server):
    run = server.config.runs / "torn"
    run.mkdir()
    (run / "study.json").write_text("{ torn")
    try:
        rows = {row["name"]: row for row in server.get("studies").json["studies"]}
        assert set(rows) == {"crops", "torn"}
        assert set(rows["torn"]) == SUMMARY
        assert "cannot be read" in rows["torn"]["message"]
        answer = server.get("studies/torn")
        assert answer.status == 409
        assert answer.json["hint"]
    finally:
        shutil.rmtree(run)


def test_what_ran_is_told_without_what_is_of_this_machine(server):
    lineage.record(server.config.root, [Ref("view", "v/1")], Ref("study", "crops"))
    lineage.record(server.config.root, [Ref("study", "crops")], Ref("model", "m/1"))
    body = server.get("studies/crops/about").json
    assert body["trials"] == 3
    assert "sys_path" not in body
    assert "environment" not in body
    graph = {
        "upstream": [{"kind": "view", "id": "v/1"}],
        "downstream": [{"kind": "model", "id": "m/1"}],
    }
    assert body["lineage"] == graph
    assert server.get("lineage", kind="study", id="crops").json == graph
    up = server.get("lineage", kind="model", id="m/1").json["upstream"]
    assert up == [{"kind": "study", "id": "crops"}, {"kind": "view", "id": "v/1"}]
    assert server.get("lineage", kind="model", id="none").json == {"upstream": [], "downstream": []}
    assert server.get("lineage", kind="model").status == 400


def test_the_timeline_tells_who_ran_what_when(server):
    body = server.get("studies/crops/timeline").json
    assert set(body) == {"spans", "workers", "now"}
    assert body["spans"][1] == {
        "worker": "w0", "trial": 1, "attempt": 1, "start": 1_002.0, "end": 1_002.0,
        "outcome": "completed",
    }  # fmt: skip


def test_importance_waits_for_enough_trials(server, write_study):
    answer = server.get("studies/crops/importance")
    assert answer.status == 409
    assert "8 are needed" in answer.json["message"]
    run = write_study(server.config.runs / "many", trials=12)
    try:
        body = server.get("studies/many/importance").json
        assert body["trials"] == 12
        assert body["importance"] == [{"name": "lr", "value": pytest.approx(1.0)}]
    finally:
        shutil.rmtree(run)


def test_trials_as_a_table_open_in_pandas_and_are_no_formulas(server, write_study):
    run = write_study(server.config.runs / "table", trials=2)
    writer = Writer(run)
    writer.append({"t": 1.0, "e": "trial", "n": 2, "params": {"lr": 0.3}})
    writer.append({"t": 1.0, "e": "start", "n": 2, "a": 1, "w": "w0"})
    error = '=HYPERLINK("x"), "quoted"\nsecond line'
    finish = {"t": 2.0, "e": "finish", "n": 2, "a": 1, "state": "failed", "value": None}
    writer.append({**finish, "error": error})
    writer.close()
    try:
        answer = server.get("studies/table/trials.csv")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="table-trials.csv"'
        table = pd.read_csv(io.BytesIO(answer.body))
        assert list(table["trial"]) == [0, 1, 2]
        assert list(table["lr"]) == [0.0, 0.1, 0.3]
        assert table["f1"].isna().tolist() == [False, False, True]
        assert table["error"][2] == "'" + error
    finally:
        shutil.rmtree(run)


def test_notes_are_kept_and_never_overwritten_unseen(server):
    path = server.api + "studies/crops/notes"
    assert server.get("studies/crops/notes").json == {"text": "", "modified": None}
    note = {"text": "lr matters, ändert viel", "modified": None}
    first = server.request("PUT", path, note)
    assert first.status == 200
    assert first.json["text"] == note["text"]
    late = server.request("PUT", path, {"text": "mine", "modified": None})
    assert late.status == 409
    assert server.get("studies/crops/notes").json == first.json
    again = {"text": "both", "modified": first.json["modified"]}
    assert server.request("PUT", path, again).json["text"] == "both"
    for bad in ({"text": 3, "modified": None}, {"modified": None}, {"text": "x" * 200_000}):
        assert server.request("PUT", path, bad).status == 400


def test_a_table_of_trials_whose_error_names_an_odd_file_is_served(server):
    """Names of files need not be UTF-8: Python holds such bytes as lone surrogates."""
    folder = server.config.runs / "odd"
    shutil.copytree(server.config.runs / "crops", folder)
    with (folder / "events.jsonl").open("a") as journal:
        event = {"v": 1, "t": 5_000.0, "e": "trial", "n": 500, "params": {"lr": 0.3}}
        odd = {"v": 1, "t": 5_000.0, "e": "finish", "n": 500, "a": 1, "state": "failed"}
        odd["error"] = "no such file: caf\udce9.tif"
        journal.write(json.dumps(event) + "\n" + json.dumps(odd) + "\n")
    answer = server.get("studies/odd/trials.csv")
    shutil.rmtree(folder)
    assert answer.status == 200
    assert b"no such file: caf" in answer.body


def test_a_body_of_more_than_a_megabyte_is_refused(server):
    answer = server.post("search", {"text": "x" * (1 << 20)})
    assert answer.status == 413
    assert "more than 1 MB" in answer.json["message"]
    assert server.get("studies").status == 200
