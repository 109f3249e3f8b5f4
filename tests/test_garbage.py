"""The collector is off inside, on after, whatever happens between."""

from __future__ import annotations

import gc
import threading

import pytest

from eolab import gc_pause


def test_the_collector_rests_inside_and_goes_on_after_an_error():
    assert gc.isenabled()
    with gc_pause.put_off():
        assert not gc.isenabled()
        with pytest.raises(ZeroDivisionError), gc_pause.put_off():
            _ = 1 / 0
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_has_turned_it_off_finds_it_off():
    gc.disable()
    try:
        with gc_pause.put_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_blocks_of_several_threads_overlap():
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with gc_pause.put_off():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    with gc_pause.put_off():
        thread.start()
        assert inside.wait(30)
    assert not gc.isenabled()
    leave.set()
    thread.join(30)
    assert gc.isenabled()
