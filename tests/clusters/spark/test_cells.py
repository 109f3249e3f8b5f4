"""`%%spark`, `%%sql` and `%clusters` in a real shell, against a real Connect server."""

from __future__ import annotations

import _thread
import errno
import json
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import eolab as eo
from eolab import progress
from eolab.clusters.spark import patience
from eolab.errors import InvalidInputError, NotFoundError
from eolab.files import locks
from eolab.magics import clusters, spark, spark_errors, sql
from tests.clusters.spark.conftest import Cluster
from tests.proxy import Proxy
from tests.studies.conftest import until


@pytest.fixture
def shell(connect: Cluster, tmp_path: Path) -> Iterator[InteractiveShell]:
    (tmp_path / "eolab.toml").write_text(
        f'format = 1\n[workspace]\npath = "space"\n[clusters.c]\nkind = "spark"\n{connect.table}'
    )
    made = InteractiveShell.instance()
    made.user_ns["ws"] = eo.workspace(tmp_path)
    cells = clusters.Cells(made)
    for magic in (clusters, spark, sql):
        magic.register(made, cells)
    yield made
    InteractiveShell.clear_instance()


class Bar:
    """A display that keeps what it was told."""

    told: list[tuple[int, int, str]] = []  # noqa: RUF012  one list for the test to read

    def update(self, done: int, total: int, text: str) -> None:
        self.told.append((done, total, text))

    def close(self) -> None:
        pass


def test_a_cell_runs_here_on_the_clusters_session(shell: InteractiveShell) -> None:
    shell.user_ns["here"] = 3
    cell = "df = spark.range(10).where(f'id < {here}')\nother = here + 1"
    shell.run_cell_magic("spark", "c -o df", cell)
    assert list(shell.user_ns["df"]["id"]) == [0, 1, 2]  # pandas now
    assert shell.user_ns["other"] == 4
    shell.run_line_magic("clusters", "use c")
    shell.run_cell_magic("spark", "-o df -n 2", "df = spark.range(10)")
    assert len(shell.user_ns["df"]) == 2
    with pytest.raises(InvalidInputError, match="no such variable"):
        shell.run_cell_magic("spark", "-o dg", "df = spark.range(10)")
    with pytest.raises(InvalidInputError, match="is a int, not a Spark data frame"):
        shell.run_cell_magic("spark", "-o n", "n = 1")
    with pytest.raises(UsageError, match=r"no flag --rowz\. Did you mean .--rows."):
        shell.run_cell_magic("spark", "--rowz 3", "n = 1")


def test_sql_gives_a_table_and_knows_views_of_spark_cells(shell: InteractiveShell) -> None:
    shell.run_cell_magic("spark", "c", "spark.range(5).createOrReplaceTempView('numbers')")
    found = shell.run_cell_magic("sql", "c", "SELECT sum(id) AS total FROM numbers;")
    assert found["total"].tolist() == [10]
    many = "SELECT * FROM range(1000)"
    assert len(shell.run_cell_magic("sql", "c", many)) == 100
    assert shell.run_cell_magic("sql", "c -o rows", many) is None
    assert len(shell.user_ns["rows"]) == 1000
    with pytest.raises(InvalidInputError, match=r"(?i)nowhere.*cannot be found"):
        shell.run_cell_magic("sql", "c", "SELECT * FROM nowhere")
    with pytest.raises(InvalidInputError, match="no query"):
        shell.run_cell_magic("sql", "c", " ;\n")


def test_time_stamps_come_with_their_zone_from_any_session(shell: InteractiveShell) -> None:
    cell = """SELECT timestamp '2024-10-27 00:30:00+00:00' AS t,
        CAST(NULL AS TIMESTAMP) AS t, 1 AS n, timestamp_ntz '2024-01-01 00:00:00' AS naive,
        timestamp '9999-12-31 00:00:00+00:00' AS late"""
    moment = pd.Timestamp("2024-10-27T00:30Z")
    for zone in ("UTC", "Europe/Rome"):
        # In Rome this wall-clock time is there twice.
        setting = f"spark.conf.set('spark.sql.session.timeZone', '{zone}')"
        shell.run_cell_magic("spark", "c -o rows", f'{setting}\nrows = spark.sql("""{cell}""")')
        shell.run_cell_magic("sql", "c -o same", cell)
        for found in (shell.user_ns["rows"], shell.user_ns["same"]):
            assert list(found.columns) == ["t", "t", "n", "naive", "late"]
            assert found.iloc[0, 0] == moment
            assert found.iloc[0, 1] is pd.NaT
            assert found.iloc[0, 4].year == 9999
            assert [str(kind) for kind in found.dtypes[:2]] == ["datetime64[us, UTC]"] * 2
            assert found["naive"].dt.tz is None
    shell.run_cell_magic("spark", "c", "spark.conf.set('spark.sql.session.timeZone', 'UTC')")


SLEEPY = """
def nap(batches):
    import time
    for batch in batches:
        time.sleep({seconds})
        yield batch
rows = spark.range(0, 4, 1, 4).mapInArrow(nap, "id long").collect()
"""


def test_progress_is_drawn_and_an_interrupt_cancels(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    Bar.told = []
    progress.set_display(bar=lambda label: Bar())
    try:
        shell.run_cell_magic("spark", "c", SLEEPY.format(seconds=5))
        assert any(total == 4 and "running" in text for _, total, text in Bar.told)
        session = shell.user_ns["spark"]
        Bar.told = []

        def press() -> None:
            until(lambda: Bar.told, 60)
            _thread.interrupt_main()

        threading.Thread(target=press, daemon=True).start()
        done = shell.run_cell("%%spark c\n" + SLEEPY.format(seconds=120))
        assert not done.success
        assert capsys.readouterr().out.splitlines()[-2:] == [
            spark_errors.INTERRUPTED, "The cell ended with an error.",
        ]  # fmt: skip
        assert all(done < total for done, total, _ in Bar.told)  # never drawn to its end
        # Nothing of it is left: the same tag has nothing to cancel, and slots are free again.
        until(lambda: not session.interruptTag(spark.TAG), 30)
        shell.run_cell_magic("spark", "c -o df", "df = spark.range(3)")
        assert len(shell.user_ns["df"]) == 3
    finally:
        progress.set_display(bar=progress._Terminal)


def test_a_function_that_raises_ends_the_cell_at_once_with_its_own_line(
    shell: InteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tries = tmp_path / "tries"
    shell.user_ns["kept"] = kept = object()
    cell = f"""
def wrong(batches):
    with open({str(tries)!r}, "a") as file:
        file.write("tried\\n")
    raise ValueError("a band is missing")
    yield from batches
kept = spark.range(0, 1, 1, 1).mapInArrow(wrong, "id long")
nothing = kept.collect()"""
    Bar.told = []
    progress.set_display(bar=lambda label: Bar())
    try:
        done = shell.run_cell(f"%%spark c -o kept\n{cell}")
    finally:
        progress.set_display(bar=progress._Terminal)
    assert not done.success  # so that "run all" stops there
    assert tries.read_text().split() == ["tried"]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ValueError: a band is missing"
    assert said[1] == '  in a task: line 4 of wrong: raise ValueError("a band is missing")'
    assert said[2] == "  from here: line 7: nothing = kept.collect()"
    assert said[-1] == "The cell ended with an error, nothing was fetched."
    assert len(said) <= 5
    assert not any("SparkConnectGrpcException" in line for line in said)
    assert not shell.run_cell(f"%%spark c -o kept\n{cell.rpartition('nothing')[0]}").success
    lazy = capsys.readouterr().out.splitlines()  # it fails where -o fetches
    assert lazy[:2] == said[:2]
    assert lazy[-1] == "-o kept: nothing was fetched."
    assert len(lazy) <= 5
    assert shell.user_ns["kept"] is not kept  # Spark's own frame, no pandas
    assert all(ended < total for ended, total, _ in Bar.told)


def test_a_bar_is_full_only_when_all_went_well() -> None:
    class Session:
        def __init__(self) -> None:
            self.handlers: list = []

        def registerProgressHandler(self, handler) -> None:
            self.handlers.append(handler)

        def removeProgressHandler(self, handler) -> None:
            self.handlers.remove(handler)

        def addTag(self, tag: str) -> None:
            pass

        removeTag = addTag  # noqa: N815  as Spark calls it

    Session.__module__ = "pyspark.sql.connect"
    session, Bar.told = Session(), []
    stage = SimpleNamespace(num_tasks=2, num_completed_tasks=2)  # the last one may have failed
    progress.set_display(bar=lambda label: Bar())
    try:
        with spark.watched(session, "spark") as finish:
            session.handlers[0]([stage], 0, "1", False)
            assert [each[:2] for each in Bar.told] == [(1, 2)]
            finish()
    finally:
        progress.set_display(bar=progress._Terminal)
    assert Bar.told[-1][:2] == (2, 2)


def test_a_new_kernel_finds_the_views_of_its_notebook(
    shell: InteractiveShell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def kernel(notebook: str) -> InteractiveShell:
        monkeypatch.setenv("JPY_SESSION_NAME", notebook)
        cells = clusters.Cells(shell)
        spark.register(shell, cells)
        return shell

    cell = "spark.range(7).createOrReplaceTempView('seven')\n"
    cell += "spark.conf.set('spark.sql.session.timeZone', 'Europe/Rome')"
    kernel("a.ipynb").run_cell_magic("spark", "c", cell)
    assert "session" not in capsys.readouterr().out
    count = "n = spark.table('seven').count(); zone = spark.conf.get('spark.sql.session.timeZone')"
    kernel("a.ipynb").run_cell_magic("spark", "c", count)
    assert "back in this notebook's session on c" in capsys.readouterr().out
    assert (shell.user_ns["n"], shell.user_ns["zone"]) == (7, "Europe/Rome")
    assert not kernel("b.ipynb").run_cell(f"%%spark c\n{count}").success
    with (tmp_path / "eolab.toml").open("a") as file:
        file.write('\nconf = { "spark.sql.session.timeZone" = "Asia/Tokyo" }\n')
    shell.user_ns["ws"] = eo.workspace(tmp_path)
    kernel("a.ipynb").run_cell_magic("spark", "c", count)
    assert (shell.user_ns["n"], shell.user_ns["zone"]) == (7, "Asia/Tokyo")
    kept = tmp_path / "space" / "clusters" / "c" / "sessions.json"
    assert kept.stat().st_mode & 0o077 == 0
    capsys.readouterr()
    # What `spark.stop()` closed is closed for good, here and for the next kernel.
    kernel("a.ipynb").run_cell_magic("spark", "c", "spark.stop()")
    kernel("a.ipynb").run_cell_magic(
        "spark", "c", "zone = spark.conf.get('spark.sql.session.timeZone')"
    )
    assert "the one of before has gone, and its views with it" in capsys.readouterr().out
    assert shell.user_ns["zone"] == "Asia/Tokyo"
    # A session that another process works in is left to it.
    theirs = str(uuid.uuid4())
    kept.write_text(json.dumps({"c.ipynb": [theirs, 1.0]}))
    handle = locks.take(kept.with_name(f"{theirs}.session"))
    kernel("c.ipynb").run_cell_magic("spark", "c", "spark.range(2).createOrReplaceTempView('two')")
    assert "session" not in capsys.readouterr().out
    assert json.loads(kept.read_text())["c.ipynb"][0] != theirs
    os.close(handle or 0)
    kept.write_text('{"a.ipynb": ["no id", 1], "": 3}')
    kernel("a.ipynb").run_cell_magic("spark", "c", "one = spark.range(1).count()")
    assert shell.user_ns["one"] == 1


@pytest.mark.parametrize("interrupt", [False, True])
def test_a_cell_ends_when_its_server_has_gone(
    shell: InteractiveShell,
    connect: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    interrupt: bool,
) -> None:
    url, variable = re.findall(r'"(.*?)"', connect.table)
    proxy = Proxy(int(url.rpartition(":")[2]))
    monkeypatch.setattr(patience, "REFUSED_S", 1.0 if not interrupt else 600.0)
    table = f'[clusters.far]\nkind = "spark"\nconnect = "sc://localhost:{proxy.port}"\n'
    with (tmp_path / "eolab.toml").open("a") as file:
        file.write(f'{table}token_env = "{variable}"\n')
    shell.user_ns["ws"] = eo.workspace(tmp_path)
    shell.run_cell_magic("spark", "far", "spark.range(3).count()")
    Bar.told = []
    ended = []

    def cut() -> None:
        until(lambda: Bar.told, 60)
        proxy.close()
        ended.append(time.monotonic())
        if interrupt:
            time.sleep(0.5)
            _thread.interrupt_main()

    thread = threading.Thread(target=cut, daemon=True)
    progress.set_display(bar=lambda label: Bar())
    try:
        thread.start()
        done = shell.run_cell("%%spark far\n" + SLEEPY.format(seconds=20))
        took = time.monotonic() - ended[0]
    finally:
        progress.set_display(bar=progress._Terminal)
    assert not done.success
    assert took < 60  # a second or two where nothing else runs; PySpark's own way takes minutes
    said = capsys.readouterr().out
    assert (spark_errors.INTERRUPTED in said) is interrupt
    assert "the Spark server of far has gone, and with it what ran there and its views" in said


@pytest.mark.slow
def test_a_network_that_is_cut_for_half_a_minute_costs_a_cell_nothing(
    shell: InteractiveShell, connect: Cluster, tmp_path: Path
) -> None:
    url, variable = re.findall(r'"(.*?)"', connect.table)
    proxy = Proxy(int(url.rpartition(":")[2]))
    table = f'[clusters.far]\nkind = "spark"\nconnect = "sc://localhost:{proxy.port}"\n'
    with (tmp_path / "eolab.toml").open("a") as file:
        file.write(f'{table}token_env = "{variable}"\n')
    shell.user_ns["ws"] = eo.workspace(tmp_path)
    Bar.told = []
    cuts = []

    def cut() -> None:
        until(lambda: Bar.told, 60)
        proxy.cut = True
        proxy.drop()
        time.sleep(30)
        proxy.cut = False
        cuts.append(time.monotonic())

    threading.Thread(target=cut, daemon=True).start()
    progress.set_display(bar=lambda label: Bar())
    try:
        done = shell.run_cell("%%spark far\n" + SLEEPY.format(seconds=20))
    finally:
        progress.set_display(bar=progress._Terminal)
        proxy.close()
    assert done.success
    assert cuts  # the cell outlived the cut
    assert [row.id for row in shell.user_ns["rows"]] == [0, 1, 2, 3]


def test_a_network_that_is_down_is_no_server_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    place = ("far.example", 15002)
    for error, gone in (
        (OSError(errno.ENETUNREACH, "Network is unreachable"), False),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), False),
        (TimeoutError("timed out"), False),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), True),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), True),
    ):

        def fail(*_: object, error: OSError = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(socket, "create_connection", fail)
        assert patience.is_closed(*place) is gone
        assert patience.refuses(*place) is not isinstance(error, TimeoutError)


def test_what_is_told_to_a_dead_server_is_not_waited_for() -> None:
    free = threading.Event()

    def hang(what: str) -> list[str]:
        free.wait(60)
        return [what]

    start = time.monotonic()
    assert patience.soon(hang)("all") is None
    assert time.monotonic() - start < 30
    free.set()
    assert patience.soon(hang)("all") == ["all"]


def test_clusters_are_listed_and_chosen(shell: InteractiveShell) -> None:
    table = shell.run_line_magic("clusters", "list").set_index("name")
    assert table.loc["c", "state"] == "elsewhere"
    assert "token" not in table.loc["c", "place"]
    assert table.loc["spark", "state"] == "stopped"
    assert table.loc["local", "kind"] == "local"
    with pytest.raises(NotFoundError, match="no cluster 'cc'"):
        shell.run_line_magic("clusters", "use cc")
    with pytest.raises(InvalidInputError, match="started and stopped elsewhere"):
        shell.run_line_magic("clusters", "stop c")
    with pytest.raises(InvalidInputError, match="has no Spark"):
        shell.run_cell_magic("spark", "local", "1")
    with pytest.raises(InvalidInputError, match="%clusters lst"):
        shell.run_line_magic("clusters", "lst")
