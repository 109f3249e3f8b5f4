"""A plug-in's author inherits our contracts: each passes for what is right and fails for what is
not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pystac
import pytest
import shapely

import eolab.testing
from eolab.catalog import Source
from eolab.studies.samplers.base import Sampler
from eolab.studies.space.parameters import uniform
from eolab.studies.space.seeds import derive_seed
from eolab.studies.space.space import Space
from eolab.studies.stopping.base import Rule
from eolab.testing import SamplerContract, SourceContract, StopRuleContract


class Diary(Source):
    """A source of one's own: a place to search that is nothing but a list in memory."""

    kind = "diary"

    def collections(self):
        extent = pystac.Extent(
            pystac.SpatialExtent([[9, 49, 11, 51]]),
            pystac.TemporalExtent([[datetime(2024, 1, 1, tzinfo=UTC), None]]),
        )
        return [pystac.Collection("diary", "What I saw.", extent)]

    def candidates(self, query):
        del query
        for day in (3, 1, 2):
            place = shapely.Point(10 + day / 10, 50).buffer(0.01)
            item = pystac.Item(
                f"day-{day}", shapely.geometry.mapping(place), list(place.bounds),
                datetime(2024, 5, day, tzinfo=UTC), {"mood": day}, collection="diary",
            )  # fmt: skip
            item.add_asset("note", pystac.Asset("https://example.org/note.txt"))
            yield item


class TestDiary(SourceContract):
    @pytest.fixture
    def source(self):
        return Diary("diary", "https://example.org/diary")


class Halves(Sampler):
    """A sampler of one's own: the n-th point of the binary van der Corput sequence, shifted."""

    def ask(self, n):
        found, half = 0.0, 0.5
        shift = derive_seed(self.seed, 0) / 2**32
        while n:
            n, bit = divmod(n, 2)
            found, half = found + bit * half, half / 2
        return {"x": (found + shift) % 1}


class TestHalves(SamplerContract):
    @pytest.fixture
    def sampler(self):
        return Halves

    @pytest.fixture
    def space(self):
        return Space.from_dict({"x": uniform(0, 1)})


class Impatient(Rule):
    """A stop rule of one's own: no trial runs beyond step 5."""

    def report(self, n, step, value):
        return "long enough" if step > 5 else None

    def end(self, n, state):
        pass

    def forget(self, n):
        pass

    def to_json(self):
        return "impatient"


class TestImpatient(StopRuleContract):
    @pytest.fixture
    def rule(self):
        return lambda direction: Impatient()


WRONG = """
import itertools, random
import pytest
from eolab.studies.samplers.base import Sampler
from eolab.studies.space.parameters import uniform
from eolab.studies.space.space import Space
from eolab.studies.stopping.rules import PercentileRule
from eolab.testing import SamplerContract, SourceContract, StopRuleContract
from tests.testing.test_plugins import Diary


class Shuffled(Diary):
    def search(self, *arguments, **options):
        found = super().search(*arguments, **options)
        return type(found)(list(found)[::-1], clone_items=False)


class TestShuffled(SourceContract):
    @pytest.fixture
    def source(self):
        return Shuffled("diary", "https://example.org/diary")


class GlobalDice(Sampler):
    def ask(self, n):
        return {"x": random.random()}


class TestGlobalDice(SamplerContract):
    @pytest.fixture
    def sampler(self):
        return GlobalDice

    @pytest.fixture
    def space(self):
        return Space.from_dict({"x": uniform(0, 1)})


class NeverForgets(PercentileRule):
    def forget(self, n):
        pass


class TestNeverForgets(StopRuleContract):
    @pytest.fixture
    def rule(self):
        return lambda direction: NeverForgets(50.0, direction=direction)
"""


def test_what_breaks_its_contract_fails_by_the_test_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text(WRONG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "--no-header", "-p", "no:cacheprovider",
         f"--rootdir={tmp_path}", "test_wrong.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    failed = {
        line.split("::", 1)[1].split("[")[0].split(" ")[0]
        for line in done.stdout.splitlines()
        if line.startswith("FAILED")
    }
    assert "TestShuffled::test_results_come_by_date_then_id_each_once" in failed, done.stdout
    assert "TestShuffled::test_a_limit_takes_the_first" in failed
    assert "TestShuffled::test_asset_hrefs_are_absolute" not in failed
    resumed = "TestGlobalDice::test_a_resumed_study_goes_on_exactly_where_it_was"
    assert resumed in failed
    assert "TestGlobalDice::test_every_suggestion_is_allowed" not in failed
    again = "TestNeverForgets::test_a_trial_that_starts_again_is_judged_as_if_it_had_never_reported"
    assert again in failed


@pytest.mark.parametrize("name", eolab.testing.__all__)
def test_every_contract_is_there_and_says_what_it_asks(name: str) -> None:
    assert getattr(eolab.testing, name).__doc__


def test_pytest_is_needed_only_where_a_contract_is_used() -> None:
    code = (
        "import sys\n"
        "sys.modules['pytest'] = None\n"
        "import importlib.util\n"
        "import eolab.testing\n"
        "print('pytest' in dir(eolab.testing))\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n, *a: None if n == 'pytest' else find(n, *a)\n"
        "try:\n    eolab.testing.SourceContract\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "False",
        "eolab.testing.SourceContract needs pytest. Run `pip install pytest`.",
    ]
