"""Limits of what services send: said in the file, the environment or a call, and checked there."""

from __future__ import annotations

from pathlib import Path

import pytest

from eolab.errors import ConfigError, InvalidInputError
from eolab.settings import config as configuration
from eolab.settings.limits import NAMES, PREFIX, Limits, in_force


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def limits_of(folder: Path, text: str) -> Limits:
    (folder / "eolab.toml").write_text(text)
    return configuration.load(folder / "eolab.toml").limits


def test_a_call_counts_before_the_environment_and_that_before_the_file(tmp_path, monkeypatch):
    said = limits_of(tmp_path, "[limits]\npages = 300\nminutes = 1.5\nmegabytes = 8\n")
    assert said == Limits(pages=300, minutes=1.5, megabytes=8)
    assert (said.seconds, said.size) == (90.0, 8 << 20)
    monkeypatch.setenv("EOLAB_LIMITS_PAGES", "400")
    monkeypatch.setenv("EOLAB_LIMITS_RETRY_AFTER", "2.5")
    monkeypatch.setenv("EOLAB_LIMITS_SLOWEST", " ")  # empty is not said
    found = in_force(said, {"pages": 500})
    assert found == Limits(pages=500, minutes=1.5, megabytes=8, retry_after=2.5)
    assert limits_of(tmp_path, "format = 1\n") == Limits()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("pages = 0", "pages = 0, allowed: a whole number from 1 to 1,000,000"),
        ("pages = 2.5", "pages = 2.5, allowed: a whole number"),
        ("pages = true", "pages is true/false, allowed"),
        ('minutes = "10"', "minutes is text, allowed: a number from 0.01 to 1,440"),
        ("minutes = nan", "minutes = nan, allowed"),
        ("minutes = inf", "minutes = inf, allowed"),
        ("retry_after = -1", "retry_after = -1, allowed: a number from 0 to 3,600"),
        ("megabytes = 99999999999999999999", "megabytes = 9{20}, allowed"),
        ("page = 3", "unknown key 'limits.page', allowed: minutes, pages"),
    ],
)
def test_what_is_no_limit_is_refused_by_file_key_and_what_is_allowed(tmp_path, line, says):
    with pytest.raises(ConfigError, match=rf"eolab.toml: .*{says}") as error:
        limits_of(tmp_path, f"[limits]\n{line}\n")
    assert error.value.hint


@pytest.mark.parametrize("text", ["many", "0", "1e9", "nan", "-5", "1" * 5_000])
def test_what_is_no_limit_in_the_environment_is_refused_by_the_variable(monkeypatch, text):
    monkeypatch.setenv("EOLAB_LIMITS_PAGES", text)
    with pytest.raises(ConfigError, match=r"environment variable EOLAB_LIMITS_PAGES .*allowed"):
        in_force()


def test_what_is_no_limit_in_a_call_is_refused():
    with pytest.raises(InvalidInputError, match="limits has no 'page'") as error:
        in_force(None, {"page": 3})
    assert "pages" in error.value.hint
    with pytest.raises(InvalidInputError, match=r"limits\['pages'\] = 0"):
        in_force(None, {"pages": 0})
    with pytest.raises(InvalidInputError, match="limits=500 names no limit"):
        in_force(None, 500)
