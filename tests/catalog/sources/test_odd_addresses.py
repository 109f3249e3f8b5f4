"""Addresses and paths that nothing can be called: refused with a hint, never read for ever."""

from __future__ import annotations

import os

import pytest

from eolab.catalog import open_source
from eolab.catalog.io.logins import lies_under, origin
from eolab.catalog.query.query import make_query
from eolab.errors import EolabError, InvalidInputError, NotFoundError
from eolab.settings.edit import add_catalog

ODD = ["x" * 3_000, "a/" + "y" * 300, "\ud800", "~nobody-here/c", "http://[::1", "a\0b", " "]


@pytest.mark.parametrize("address", ODD, ids=range(len(ODD)))
def test_an_address_that_nothing_can_be_called_is_refused(config, tmp_path, address):
    with pytest.raises(InvalidInputError) as error:
        add_catalog(config, tmp_path, name="odd", url=address)
    assert error.value.hint
    with pytest.raises(EolabError) as error:
        open_source(config, address).search()
    assert error.value.hint


def test_a_pipe_and_a_device_are_no_documents(config, tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "pipe.json", "/dev/zero"):
        with pytest.raises(InvalidInputError, match="is no file"):
            open_source(config, str(path)).search()
    with pytest.raises(NotFoundError):
        open_source(config, str(tmp_path / "none.json")).search()


def test_what_is_no_address_lies_nowhere():
    assert origin("http://[::1")[0] == ""
    assert not lies_under("http://[::1", "http://[::1")
    assert not lies_under("http://[::1/a.tif", "https://example.org/")
    assert lies_under("https://example.org/a.tif", "https://example.org/")


@pytest.mark.parametrize("odd", [{"text": True}, {"ids": 5}, {"collections": {"a": 1}}])
def test_a_question_of_other_kinds_is_refused(odd):
    with pytest.raises(InvalidInputError) as error:
        make_query(**odd)
    assert error.value.hint
