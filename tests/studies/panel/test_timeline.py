"""The timeline tells each attempt once, with who ran it and how it ended."""

from __future__ import annotations

import pytest

from eolab.studies.journal.files import Writer
from eolab.studies.panel.timeline import Timeline


@pytest.fixture
def say(tmp_path):
    """Write an event a second."""
    writer, clock = Writer(tmp_path), [100.0]

    def tell(e, **more):
        clock[0] += 1
        writer.append({"t": clock[0], "e": e, **more})

    return tell


def spans(timeline, *, living=True):
    timeline.refresh()
    rows = timeline.to_dict(living=living)["spans"]
    return [
        (s["worker"], s["trial"], s["attempt"], s["start"], s["end"], s["outcome"]) for s in rows
    ]


def test_each_attempt_is_a_span(tmp_path, say):
    timeline = Timeline(tmp_path)
    assert spans(timeline) == []
    say("worker", w="w0", state="joined")
    say("worker", w="w1", state="joined")
    say("start", n=0, a=1, w="w0")
    say("start", n=1, a=1, w="w1")
    say("report", n=0, a=1, step=0, m={"f1": 0.1})
    assert spans(timeline) == [
        ("w0", 0, 1, 103, None, "running"),
        ("w1", 1, 1, 104, None, "running"),
    ]
    say("requeue", n=1, a=1, reason="lost", lost=True)
    say("worker", w="w1", state="lost")
    say("finish", n=0, a=1, state="completed", value=1.0)
    say("start", n=1, a=2, w="w0")
    say("requeue", n=1, a=2, reason="killed")
    say("start", n=1, a=3, w="w0")
    say("finish", n=1, a=3, state="stopped", value=0.5)
    say("worker", w="w0", state="left")
    assert spans(timeline) == [
        ("w0", 0, 1, 103, 108, "completed"),
        ("w1", 1, 1, 104, 106, "lost"),
        ("w0", 1, 2, 109, 110, "retried"),
        ("w0", 1, 3, 111, 112, "stopped"),
    ]
    workers = timeline.to_dict(living=True)["workers"]
    assert workers == [
        {"id": "w0", "start": 101, "end": 113, "ended": "left"},
        {"id": "w1", "start": 102, "end": 107, "ended": "lost"},
    ]


def test_what_a_dead_study_was_running_was_interrupted(tmp_path, say):
    say("start", n=0, a=1, w="w0")
    timeline = Timeline(tmp_path)
    assert spans(timeline, living=False) == [("w0", 0, 1, 101, None, "interrupted")]
    assert spans(timeline) == [("w0", 0, 1, 101, None, "running")]


def test_reading_bit_by_bit_and_at_once_tell_the_same(tmp_path, say):
    slow = Timeline(tmp_path)
    for n in range(20):
        say("start", n=n, a=1, w=f"w{n % 3}")
        slow.refresh()
        if n % 2:
            say("finish", n=n, a=1, state="failed", value=None)
    assert spans(slow) == spans(Timeline(tmp_path))


def test_torn_and_foreign_lines_are_passed_over(tmp_path, say):
    say("start", n=0, a=1, w="w0")
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('not json\n{"e":"start"}\n[]\n{"t":1,"e":"news"}\n{"e":"fin')
    assert len(spans(Timeline(tmp_path))) == 1
