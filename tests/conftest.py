"""What every room's tests share: the real data beside the checkout, the simulated region, a fresh
workspace.
"""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator

# No test may hold because this machine happens to run on UTC: all of them, and every process that
# they start, live in Nepal, 5:45 ahead, where no hour and no half hour is UTC's.
os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from eolab.catalog.simulate.write import SampleInfo, write_sample  # noqa: E402
from eolab.files import locks, writes  # noqa: E402
from eolab.redaction import forget_secrets  # noqa: E402
from eolab.settings import config as configuration  # noqa: E402
from tests.generators import write_like_real  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
SHARED = "EOLAB_TESTS_SHARED"  # a folder for the region, of runs one after another

# A busy machine is no fault of the code. CI tries the same examples each time; at home they vary.
settings.register_profile(
    "eolab",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("eolab")


# What shares something dear to start (a JVM): one process of a parallel run takes all of a group.
TOGETHER = {
    # It kills, waits for leases, counts on the order of events, or counts Spark's processes: one
    # of these at a time, first of all, beside another process's tests that leave a core free.
    "one at a time": (
        "tests/catalog/io/test_remote_files.py",
        "tests/clusters/",
        "tests/studies/coordinator/test_reliability.py",
        "tests/studies/plans/test_promotion.py",
        "tests/studies/test_notebook.py",
        "tests/studies/worker/test_noisy_start.py",
    ),
    "spark": ("tests/features/engines/spark/",),
}
# What starts processes that fill all cores comes when nobody counts on the clock any more.
DEAR = (
    "tests/features/test_notebook.py",
    "tests/studies/ablation/test_notebook.py",
    "tests/studies/stopping/test_real_stopping.py",
    "tests/test_attack.py",
    "tests/test_demo.py",
)


@pytest.hookimpl(tryfirst=True)  # before pytest looks at -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in order; each process takes the next group that is left.

    Browser tests are the last: the browser's driver keeps an event loop running in this thread,
    in which tests with a loop of their own could not run any more.
    """
    items.sort(key=_turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """A file's tests, or those of `TOGETHER`, go to one process whole.

    Not by xdist's own marks: 3.8 writes them into an attribute that pytest 9.2 reads no more, so
    that each test becomes a group of its own and what a module has made is made again elsewhere.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid.partition("::")[0])

    return ByGroup(config, log)


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT).as_posix()


def _group(file: str) -> str:
    return next((name for name, start in TOGETHER.items() if file.startswith(start)), file)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("browser"):
        return 3
    if _file(item).startswith(DEAR):
        return 2
    return 0 if _group(_file(item)) == "one at a time" else 1


@pytest.fixture(scope="session")
def made_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made data in the folders and shapes of the real ones; nobody writes there."""
    return write_like_real(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real Earth Observation data beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data folder ../shared/data is not beside this checkout")
    return folder


@pytest.fixture(scope="session", params=["made", "real"])
def shared_data(request: pytest.FixtureRequest) -> Path:
    """Real data where they are beside the checkout, and made ones of their shapes everywhere."""
    folder: Path = request.getfixturevalue(f"{request.param}_data")
    return folder


@pytest.fixture(scope="session")
def real_or_made_data(request: pytest.FixtureRequest) -> Path:
    """One of both, for what takes long: the real data where they are, otherwise the made ones."""
    kind = "real" if (ROOT.parent / "shared" / "data").is_dir() else "made"
    folder: Path = request.getfixturevalue(f"{kind}_data")
    return folder


@pytest.fixture(scope="session")
def data_are_real(real_or_made_data: Path) -> bool:
    """Whether figures that were seen on real data must come out."""
    return real_or_made_data == ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def sample_info(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> SampleInfo:
    """The simulated region, made once for all processes of a run; nobody writes there."""
    base = tmp_path_factory.getbasetemp()
    # Each process of a parallel run has a folder of its own in the one of the run.
    home = base.parent if hasattr(pytestconfig, "workerinput") else base
    home = Path(os.environ.get(SHARED, home))
    known = home / "sample.pkl"
    with locks.locked(home / "sample.lock"):
        if not known.exists():
            info = write_sample(home / "region" / "sample")
            writes.write_bytes(known, pickle.dumps(info))
    made: SampleInfo = pickle.loads(known.read_bytes())
    return made


@pytest.fixture(scope="session")
def sample(sample_info: SampleInfo) -> Path:
    return sample_info.folder


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> Iterator[None]:
    yield
    forget_secrets()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> configuration.Config:
    """A fresh workspace that nothing on this machine configures."""
    monkeypatch.delenv("EOLAB_WORKSPACE", raising=False)
    return configuration.init(tmp_path)
