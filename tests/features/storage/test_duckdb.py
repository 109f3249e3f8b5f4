"""Connections share an engine, and nothing else; a child process starts its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import duckdb
import pyarrow as pa
import pytest

from eolab.features.storage import duckdb as sql
from eolab.features.storage.duckdb import connect


def test_connections_beside_each_other_do_not_see_each_others_tables(tmp_path):
    with connect(tmp_path) as one, connect(tmp_path) as other:
        for con, number in ((one, 1), (other, 2)):
            con.register("given", pa.table({"n": [number]}))
            con.execute("CREATE TEMP VIEW seen AS SELECT n * 10 AS n FROM given")
            con.execute("CREATE TEMP TABLE kept AS SELECT n FROM seen")
        assert one.sql("SELECT n FROM kept").fetchall() == [(10,)]
        assert other.sql("SELECT n FROM kept").fetchall() == [(20,)]
    with connect(tmp_path) as later:
        for name in ("given", "seen", "kept"):
            with pytest.raises(duckdb.CatalogException, match=name):
                later.sql(f"SELECT * FROM {name}")
        assert later.sql("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_few_engines_stay_and_those_in_use_go_on(tmp_path):
    with connect(tmp_path / "first") as con:
        for number in range(6):
            with connect(tmp_path / str(number)) as other:
                other.execute("SELECT 1")
        assert tmp_path / "first" not in sql.engine_folders()
        assert len(sql.engine_folders()) <= 4
        assert con.sql("SELECT sum(i) FROM range(1000000) t(i)").fetchall() == [(499999500000,)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_reads_too(tmp_path):
    """Threads do not come along into a child: an engine that was inherited would wait for ever."""
    script = f"""
        import os, sys
        from pathlib import Path
        from eolab.features.storage.duckdb import connect

        folder = Path({str(tmp_path)!r})
        many = "SELECT count(*) FROM range(3000000) t(i) WHERE i % 7 = 3"
        with connect(folder) as con:
            before = con.sql(many).fetchall()
        child = os.fork()
        with connect(folder) as con:
            assert con.sql(many).fetchall() == before
        if not child:
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    subprocess.run(command, check=True, timeout=60)
