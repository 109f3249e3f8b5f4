"""The helper process: crashes, hangs and floods cost a call, never the server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time

import pytest

from eolab.errors import ConflictError, InvalidInputError, NotFoundError, RemoteError
from eolab.server.helper.process import Library
from eolab.server.workspace import Place

# The real child with other calls in it: faults cannot be asked of the real ones.
CHILD = """
import os, sys, time
from pathlib import Path
from eolab.server import calls, child
from eolab import errors

def echo(config, *, value): return value
def crash(config): os._exit(7)
def crash_once(config, *, flag):
    if not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), 9)
    return "second time"
def hang(config, *, name): time.sleep(600)
def count(config, *, file):
    with open(file, "a") as f: f.write("x")
    time.sleep(0.3)
    return Path(file).stat().st_size
def fail(config, *, kind): raise getattr(errors, kind)("it is so", "do this")
def fault(config): return 1 / 0
def noise(config):
    print("not json"); os.system("echo from a program"); print("{}", flush=True)
    return {"nan": float("nan"), "tuple": (1, 2)}
def large(config): return "x" * (70 * 2**20)
def pid(config): return os.getpid()
ours = (echo, crash, crash_once, hang, count, fail, fault, noise, large, pid)
calls.CALLS = {f.__name__: f for f in ours}
child.main()
"""


@pytest.fixture
def place(config):
    return Place(str(config.file), "")


@pytest.fixture
def run(place, tmp_path):
    """Run a coroutine function with a fresh library; give what it gives."""
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(CHILD))

    def go(story, **options):
        async def main():
            library = Library(command=(sys.executable, str(script)), **options)
            try:
                return await story(library)
            finally:
                library.close()

        return asyncio.run(main())

    return go


def test_calls_are_answered_and_the_process_stays(run, place):
    async def story(library):
        first = await library.call("pid", place, {})
        values = await asyncio.gather(
            *(library.call("echo", place, {"value": i}) for i in range(20))
        )
        return first, values, await library.call("pid", place, {})

    first, values, last = run(story)
    assert values == list(range(20))
    assert first == last != os.getpid()


@pytest.mark.parametrize("kind", [InvalidInputError, NotFoundError, ConflictError, RemoteError])
def test_an_expected_error_comes_as_it_was_raised(run, place, kind):
    async def story(library):
        with pytest.raises(kind) as caught:
            await library.call("fail", place, {"kind": kind.__name__})
        return caught.value

    error = run(story)
    assert (error.message, error.hint, error.status) == ("it is so", "do this", kind.status)


def test_a_fault_of_ours_is_no_expected_error(run, place):
    async def story(library):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            await library.call("fault", place, {})
        return await library.call("echo", place, {"value": 1})

    assert run(story) == 1


def test_what_a_library_prints_does_not_break_the_wire(run, place):
    async def story(library):
        return await library.call("noise", place, {})

    assert run(story) == {"nan": None, "tuple": [1, 2]}


def test_a_crash_is_survived_and_the_call_tried_once_more(run, place, tmp_path):
    async def story(library):
        before = await library.call("pid", place, {})
        told = await library.call("crash_once", place, {"flag": str(tmp_path / "flag")})
        return before, told, await library.call("pid", place, {})

    before, told, after = run(story)
    assert told == "second time"
    assert before != after


def test_a_call_that_always_crashes_is_given_up_and_others_go_on(run, place):
    async def story(library):
        with pytest.raises(RemoteError, match="crashed twice on 'crash'"):
            await library.call("crash", place, {})
        return await library.call("echo", place, {"value": "on"})

    assert run(story) == "on"


def test_kill_9_between_two_calls_is_not_noticed(run, place):
    async def story(library):
        os.kill(await library.call("pid", place, {}), signal.SIGKILL)
        return await library.call("echo", place, {"value": "on"})

    assert run(story) == "on"


def test_no_answer_in_time_is_told_and_a_stuck_process_is_replaced(run, place):
    async def story(library):
        before = await library.call("pid", place, {})
        places = [Place(place.named, str(n)) for n in range(3)]  # three different calls
        told = await asyncio.gather(
            *(library.call("hang", p, {"name": f"c{n}"}) for n, p in enumerate(places)),
            return_exceptions=True,
        )
        assert [type(e) for e in told] == [RemoteError] * 3
        # As the user calls it, not by what it is called inside.
        assert [e.message for e in told] == [f"c{n} did not answer within 3 s" for n in range(3)]
        assert all(e.hint for e in told)
        return before, await library.call("pid", place, {})

    before, after = run(story, timeout=3.0, stuck=3)
    assert before != after


def test_equal_calls_at_the_same_time_are_one(run, place, tmp_path):
    file = str(tmp_path / "count")

    async def story(library):
        await library.call("echo", place, {"value": 0})
        calls = [library.call("count", place, {"file": file}) for _ in range(10)]
        together = await asyncio.gather(*calls)
        return together, await library.call("count", place, {"file": file})

    assert run(story) == ([1] * 10, 2)


def test_a_browser_that_goes_away_does_not_cancel_the_others(run, place, tmp_path):
    file = str(tmp_path / "count")

    async def story(library):
        await library.call("echo", place, {"value": 0})
        first = asyncio.create_task(library.call("count", place, {"file": file}))
        second = asyncio.create_task(library.call("count", place, {"file": file}))
        await asyncio.sleep(0.05)
        first.cancel()
        return await second

    assert run(story) == 1


def test_too_many_waiting_calls_are_refused(run, place):
    async def story(library):
        calls = [library.call("echo", place, {"value": n}) for n in range(12)]
        return await asyncio.gather(*calls, return_exceptions=True)

    told = run(story, limit=10)
    assert told[:10] == list(range(10))
    assert all(isinstance(e, RemoteError) and "busy" in e.message for e in told[10:])


def test_an_answer_that_is_too_large_is_told(run, place):
    async def story(library):
        with pytest.raises(InvalidInputError, match="70 MB"):
            await library.call("large", place, {})

    run(story)


def test_an_unknown_call_and_wrong_arguments_are_told(run, place):
    async def story(library):
        with pytest.raises(NotFoundError, match="no call 'dance'"):
            await library.call("dance", place, {})
        with pytest.raises(InvalidInputError, match="echo"):
            await library.call("echo", place, {"volume": 11})

    run(story)


def test_a_python_that_is_gone_is_told(place):
    async def story():
        library = Library(command=("/no/such/python",))
        with pytest.raises(RemoteError, match="cannot start"):
            await library.call("echo", place, {"value": 1})
        library.close()

    asyncio.run(story())


def test_a_process_that_stops_reading_holds_up_nobody_else(place, tmp_path):
    """The loop of Jupyter Server goes on, and the child is replaced."""
    script = tmp_path / "deaf.py"
    script.write_text("import time\ntime.sleep(600)\n")

    async def main():
        library = Library(command=(sys.executable, str(script)), timeout=1.5, stuck=3)
        large = "x" * 900_000
        calls = [library.call("echo", place, {"value": [i, large]}) for i in range(8)]
        waiting = asyncio.gather(*calls, return_exceptions=True)
        gaps, last = [], time.monotonic()
        while not waiting.done():
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
        closing = time.monotonic()
        library.close()
        return await waiting, max(gaps), time.monotonic() - closing

    answers, longest, closed = asyncio.run(main())
    assert all(isinstance(answer, RemoteError) for answer in answers)
    assert longest < 1
    assert closed < 3
