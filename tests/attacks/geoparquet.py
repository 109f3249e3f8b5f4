"""Damaged stac-geoparquet files: refused with a hint, or read; never a traceback, never for ever.

Files are damaged by a seed while it runs, and read in a child process: what crashes there, below
us, counts as refused and told. None is kept.

    python -m tests.attacks.geoparquet mutated 500
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.attacks import figures
from tests.attacks.figures import Figures
from tests.attacks.junk import JUNK, mutate

SECONDS = 30.0  # for one file, on a busy machine too
MEMORY = 3 << 30  # bytes that the reader may take: more is a fault of ours, or told as one
ITEMS = 40


def items(rng: random.Random) -> list[dict[str, Any]]:
    """Plain items of their own ids, places and times."""
    begun = datetime(2024, 5, 1, tzinfo=UTC)
    made = []
    for n in range(ITEMS):
        west, south = rng.uniform(-179, 178), rng.uniform(-80, 79)
        box = [west, south, west + 1, south + 1]
        ring = [[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]]
        when = (begun + timedelta(hours=7 * n)).isoformat().replace("+00:00", "Z")
        asset = {"href": f"https://example.org/{n}.tif", "type": "image/tiff", "roles": ["data"]}
        made.append(
            {
                "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": f"i{n}",
                "collection": "c", "bbox": box, "links": [],
                "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                "properties": {"datetime": when, "eo:cloud_cover": float(n), "platform": "s2a"},
                "assets": {"red": asset, "nir": dict(asset)},
            }
        )  # fmt: skip
    return made


def write(path: Path, rng: random.Random) -> None:
    """A file of ours, or one that others write, for each of which a damage is drawn later."""
    from eolab.catalog.sources.geoparquet_writer import write_items

    collection = {
        "type": "Collection", "id": "c", "stac_version": "1.0.0", "description": "d", "links": [],
        "license": "other", "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["2024-05-01T00:00:00Z", None]]}},
    }  # fmt: skip
    write_items(path, items(rng), collections=[collection])


def damage(whole: bytes, path: Path, rng: random.Random) -> str:
    """One damaged file; what was done to it."""
    kind = rng.choice(("bytes", "bytes", "footer", "cut", "columns", "values", "metadata", "other"))
    if kind in {"bytes", "footer"}:
        broken = bytearray(whole)
        size = int.from_bytes(whole[-8:-4], "little")
        low = len(whole) - size - 8 if kind == "footer" else 4
        for _ in range(rng.randint(1, 20)):
            broken[rng.randrange(low, len(whole))] = rng.randrange(256)
        path.write_bytes(broken)
    elif kind == "cut":
        at = rng.randrange(len(whole))
        tail = whole[at + rng.randrange(1, 5_000) :] if rng.random() < 0.5 else b""
        path.write_bytes(whole[:at] + tail)
    elif kind == "other":
        path.write_bytes(rng.choice((b"", b"PAR1", b"PAR1" * 3, b"{}", whole * 2, whole[::-1])))
    else:
        return _damage_table(whole, path, rng, kind)
    return kind


def _damage_table(whole: bytes, path: Path, rng: random.Random, kind: str) -> str:
    """A file that Parquet's readers can read, with other columns, values or words about them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(whole))
    name = rng.choice(table.schema.names)
    at = table.schema.get_field_index(name)
    if kind == "metadata":
        said = dict(table.schema.metadata or {})
        for key, text in list(said.items()):
            with contextlib.suppress(ValueError):
                said[key] = json.dumps(mutate(json.loads(text), rng)).encode()
        if rng.random() < 0.3:
            said[rng.choice(list(said) or [b"geo"])] = rng.choice((b"", b"[]", b"\xff", b"{"))
        table = table.replace_schema_metadata(said)
    elif kind == "values":
        values = table.column(name).to_pylist()
        for _ in range(rng.randint(1, ITEMS)):
            row = rng.randrange(len(values))
            values[row] = None if rng.random() < 0.5 else _other(values[row], rng)
        with contextlib.suppress(Exception):  # what the column cannot hold stays as it was
            changed = pa.array(values, table.schema.field(name).type)
            table = table.set_column(at, table.schema.field(name), changed)
    else:
        what = rng.choice(("drop", "null", "text", "number", "twice", "list", "rename", "few"))
        rows = table.num_rows
        if what == "drop":
            table = table.drop_columns([name])
        elif what == "few":
            table = table.slice(0, rng.randrange(3))
        elif what == "rename":
            names = list(table.schema.names)
            names[at] = rng.choice((*names, "", 'a"b', "x" * 300, "file_row_number", "items"))
            table = table.rename_columns(names)
        elif what == "twice":
            table = table.append_column(name, table.column(name))
        else:
            made = {
                "null": pa.nulls(rows),
                "text": pa.array([str(rng.choice(JUNK[:7])) for _ in range(rows)]),
                "number": pa.array([rng.choice((0.0, float("nan"), 1e308)) for _ in range(rows)]),
                "list": pa.array([[n] for n in range(rows)]),
            }[what]
            table = table.set_column(at, name, made)
        kind = f"{kind} {what} {name}"
    pq.write_table(table, path, row_group_size=rng.choice((7, 1000)))
    return kind


def _other(value: object, rng: random.Random) -> object:
    if isinstance(value, float):
        return rng.choice((float("nan"), float("inf"), -1e308, 1e6))
    if isinstance(value, bytes):
        return rng.choice((b"", value[: rng.randrange(len(value) + 1)], value[::-1], b"\x01" * 200))
    if isinstance(value, datetime):
        return rng.choice((datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)))
    if isinstance(value, str):
        return rng.choice(("", "x" * 5_000, "\x00", "../../etc/passwd", "file:///etc/passwd"))
    if isinstance(value, dict | list) and value:
        return mutate(value, rng)
    return None


def read(path: Path, home: Path) -> str:
    """Everything that panels and notebooks ask of a file; what went wrong, or "".

    A part that is refused with a hint is as good as one that is answered.
    """
    from dataclasses import replace

    from eolab.catalog import open_source
    from eolab.catalog.panel import browse, search
    from eolab.catalog.query.query import make_query
    from eolab.errors import EolabError
    from eolab.settings import config as configuration
    from eolab.settings.config import CatalogConfig

    config = configuration.open_path(home)
    config = replace(config, catalogs={"m": CatalogConfig("m", str(path))})
    queries: tuple[dict[str, Any], ...] = (
        {}, {"limit": 3}, {"bbox": (0, 0, 90, 60)}, {"datetime": "2024-05", "max_cloud": 30},
        {"filter": "eo:cloud_cover < 20 AND platform LIKE 's%'"}, {"text": "s2a"},
        {"ids": ["i3"]}, {"sortby": ["-eo:cloud_cover"]}, {"collections": "c"},
    )  # fmt: skip
    acts = {
        f"search {q}": (lambda q=q: open_source(config, str(path)).search(**q)) for q in queries
    }
    acts["collections"] = lambda: open_source(config, str(path)).collections()
    acts["queryables"] = lambda: open_source(config, str(path)).queryables("c")
    acts["histogram"] = lambda: open_source(config, str(path)).histogram(make_query())
    acts["panel: collections"] = lambda: _json(browse.collections(config, "m"))
    acts["panel: items"] = lambda: _json(browse.items(config, "m", limit=50))
    acts["panel: found"] = lambda: _json(search.found(config, "m", limit=100))
    wrong = []
    for name, act in acts.items():
        begun = time.monotonic()
        try:
            act()
        except EolabError as error:
            if not error.message or not error.hint:
                wrong.append(f"{name}: no hint: {error}")
        except MemoryError:
            pass  # a size that the file states, refused by the bound that the reader runs under
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)
            ours = [f for f in last if "/eolab/" in f.filename][-1:]
            place = f"{Path(ours[0].filename).name}:{ours[0].lineno}" if ours else ""
            wrong.append(
                f"{name}: {type(error).__name__} at {place}: {' '.join(str(error).split())[:200]}"
            )
        if (took := time.monotonic() - begun) > SECONDS / 2:
            wrong.append(f"{name}: waits {took:.0f} s")
    return "\n".join(wrong)


def _json(body: object) -> None:
    from eolab.server.wire import to_json

    assert "NaN" not in to_json(body)


def child(folder: str) -> None:
    """Read the files of a folder by their numbers, and say of each what went wrong."""
    import faulthandler
    import resource
    import warnings

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    home = Path(folder)
    from eolab.settings import config as configuration

    if not (home / "eolab.toml").exists():
        configuration.init(home)
    # Libraries are in by now; what a file makes us take comes on top.
    import duckdb
    import pyarrow as pa

    assert duckdb
    assert pa
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.RLIM_INFINITY))
    for line in sys.stdin:
        path = Path(line.strip())
        faulthandler.dump_traceback_later(SECONDS, exit=False)
        wrong = read(path, home)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps([path.name, wrong]), flush=True)


def mutated(count: int, rng: random.Random) -> Figures:
    """Files with one damage each."""
    made, kinds, crashed = Figures(), {}, 0
    with tempfile.TemporaryDirectory(prefix="eolab-attack-") as name:
        folder = Path(name)
        write(folder / "whole.parquet", rng)
        whole = (folder / "whole.parquet").read_bytes()
        assert not read(folder / "whole.parquet", _workspace(folder)), "a whole file is read"
        files = {}
        for n in range(count):
            files[f"{n}.parquet"] = damage(whole, folder / f"{n}.parquet", rng)
        left, errors = list(files), (folder / "errors").open("a")
        while left:
            reader = subprocess.Popen(
                [sys.executable, "-m", "tests.attacks.geoparquet", "--child", str(folder)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
            assert reader.stdin is not None
            assert reader.stdout is not None
            while left:
                reader.stdin.write(f"{folder / left[0]}\n")
                reader.stdin.flush()
                said, file = _line(reader), left.pop(0)
                made.done += 1
                kind = files[file].split()[0]
                kinds[kind] = kinds.get(kind, 0) + 1
                if said is None:
                    # It crashed below us (signal), or hangs: the next ones get a new reader.
                    if reader.poll() is None:
                        reader.kill()
                        where = " ".join((folder / "errors").read_text()[-900:].split())
                        made.fault("waits", f"{files[file]}: no answer: {where}", like=kind)
                    else:
                        crashed += 1
                    break
                for wrong in said[1].splitlines():
                    what = "waits" if " waits " in wrong else "tracebacks"
                    place = wrong.split(" at ", 1)[-1].split(":")[:2]
                    made.fault(what, f"{files[file]}: {wrong}", like=str(place))
            reader.stdin.close()
            reader.wait(30)
    each = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    made.told = f"{each}; crashed below us: {crashed}"
    return made


def _workspace(folder: Path) -> Path:
    from eolab.settings import config as configuration

    configuration.init(folder)
    return folder


def _line(reader: subprocess.Popen[str]) -> Any:
    """The next line of a reader as JSON; None when it is gone or takes too long."""
    import select

    assert reader.stdout is not None
    if not select.select([reader.stdout], [], [], SECONDS + 10)[0]:
        return None
    text = reader.stdout.readline()
    if not text:
        reader.wait(30)
        return None
    return json.loads(text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    else:
        figures.main(mutated=mutated)
