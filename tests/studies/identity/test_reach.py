"""What the user's modules, folders, settings and arrays hide is seen, or a re-run asks."""

import importlib
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from benchmarks import edits
from eolab.studies.identity import paths
from eolab.studies.identity.walk import Identity, identify

REGISTER = "TABLE = {}\ndef register(f):\n    TABLE[f.__name__] = f\n    return f\n"
PICK = "def pick(name): return TABLE[name]()\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the user's modules, which is where the kernel is, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "farm"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def written(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def of_cell(text: str) -> Identity:
    return identify(edits.run_cell(text), "train")


def around(
    folder: Path, files: Mapping[str, str], cell: str, old: str, new: str
) -> tuple[Identity, Identity]:
    """The identities before and after an edit of the files."""
    assert any(old in text for text in files.values())
    found = []
    for each in (files, {name: text.replace(old, new) for name, text in files.items()}):
        forget()
        written(folder, each)
        found.append(of_cell(cell))
    return found[0], found[1]


CALL = "from farm import pick\ndef train(): return pick('small')\n"
HIDDEN = {
    "a decorator's table": (
        {"farm.py": f"{REGISTER}@register\ndef small(): return 1\n{PICK}"}, CALL,
    ),
    "a table that another module fills": (
        {
            "farm/__init__.py": "from .core import pick\nfrom . import extra\n",
            "farm/core.py": REGISTER + PICK,
            "farm/extra.py": "from .core import register\nfrom .deep import two\n@register\n"
            "def small(): return two()\n",
            "farm/deep.py": "def two(): return 1\n",
        },
        CALL,
    ),
    "a subclass that registers itself": (
        {
            "farm.py": "class Base:\n    TABLE = {}\n    def __init_subclass__(cls):\n"
            "        Base.TABLE[cls.__name__] = cls\nclass Middle(Base): pass\n"
            "class small(Middle):\n    def go(self): return 1\n"
            "def pick(name): return Base.TABLE[name]().go()\n"
        },
        CALL,
    ),
    "a subclass in another module that is looked for": (
        {
            "farm/__init__.py": "",
            "farm/core.py": "class Base: pass\n"
            "def pick(name): return {c.__name__: c for c in Base.__subclasses__()}[name]()\n",
            "farm/extra.py": "from .core import Base\nclass small(Base):\n    size = 1\n",
        },
        "import farm.extra\nfrom farm.core import pick\ndef train(): return pick('small').size\n",
    ),
    "a call at import": (
        {"farm.py": "def build(n): return n * 1\nMODEL = build(3)\ndef pick(_): return MODEL\n"},
        CALL,
    ),
    "a call at import that sets a global": (
        {
            "farm.py": "STEP = 0\ndef choose():\n    global STEP\n    STEP = 1\n    return 0\n"
            "DONE = choose()\ndef pick(_): return STEP\n"
        },
        CALL,
    ),
    "the module's __getattr__": (
        {"farm.py": "def __getattr__(name): return 1\n"},
        "import farm\ndef train(): return farm.anything\n",
    ),
    "globals": ({"farm.py": "def small(): return 1\ndef pick(n): return globals()[n]()\n"}, CALL),
    "eval": ({"farm.py": "def small(): return 1\ndef pick(n): return eval(n)()\n"}, CALL),
    "vars of a module": (
        {
            "farm/__init__.py": "from .core import pick\n",
            "farm/nets.py": "def small(): return 1\n",
            "farm/core.py": "from . import nets\ndef pick(n): return vars(nets)[n]()\n",
        },
        CALL,
    ),
    "a package without __init__": (
        {
            "farm/nets.py": "from . import deep\ndef pick(_): return deep.SIZE\n",
            "farm/deep.py": "SIZE = 1\n",
        },
        "import farm.nets\ndef train(): return farm.nets.pick('small')\n",
    ),
    "import_module": (
        {"farm.py": "def pick(_): return 1\n"},
        "import importlib\ndef train(): return importlib.import_module('farm').pick('')\n",
    ),
    "import_module of what is put together": (
        {"farm/__init__.py": "", "farm/small.py": "SIZE = 1\n"},
        ("import importlib\nKIND = 'small'\n"
        "def train(): return importlib.import_module(f'farm.{KIND}').SIZE\n"),
    ),
    "a package that imports all it finds": (
        {
            "farm/__init__.py": "import importlib\nimport pkgutil\n"
            "for m in pkgutil.iter_modules(__path__):\n"
            "    importlib.import_module(f'{__name__}.{m.name}')\n",
            "farm/core.py": REGISTER + PICK,
            "farm/extra.py": "from .core import register\n@register\ndef small(): return 1\n",
        },
        "from farm.core import pick\ndef train(): return pick('small')\n",
    ),
    "a file that its text names": (
        {
            "farm.py": "def pick(_): return open('sizes.txt').read()\n",
            "sizes.txt": "return 1",
        },
        CALL,
    ),
    "a file beside it": (
        {
            "farm/__init__.py": "from pathlib import Path\nHERE = Path(__file__).parent\n"
            "SIZES = (HERE / 'sizes.txt').read_text()\ndef pick(_): return SIZES\n",
            "farm/sizes.txt": "return 1",
        },
        CALL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", HIDDEN)
def test_what_a_module_of_the_user_hides_is_seen(project: Path, way: str) -> None:
    files, cell = HIDDEN[way]
    old = next(o for o in ("return 1", "= 1", "* 1") if any(o in t for t in files.values()))
    before, after = around(project, files, cell, old, old.replace("1", "2"))
    assert before.digest != after.digest
    assert not before.unknown


@pytest.mark.parametrize("way", HIDDEN)
def test_comments_docstrings_and_annotations_of_such_modules_do_not_count(
    project: Path, way: str
) -> None:
    files, cell = HIDDEN[way]
    code = {name: text for name, text in files.items() if name.endswith(".py")}
    forget()
    written(project, files)
    before = of_cell(cell)
    forget()
    neutral = {
        name: f'"""Of the farm."""\n# all of it\n{text}'.replace("pick(name)", "pick(name: str)")
        .replace("def small():", "def small() -> int:")
        .replace("SIZE = 1", "SIZE: int = 1")
        for name, text in code.items()
    }
    written(project, neutral)
    assert of_cell(cell).digest == before.digest


def test_a_module_that_only_a_run_can_name_is_asked_about(project: Path) -> None:
    written(project, {"farm.py": "def pick(name):\n    import importlib\n"
                                 "    return importlib.import_module(name)\n"})  # fmt: skip
    forget()
    assert "farm imports by a name that only a run knows" in of_cell(CALL).unknown[0]
    cell = "import importlib\ndef train(name='x'): return importlib.import_module(name)\n"
    assert "train imports by a name" in of_cell(cell).unknown[0]
    assert of_cell("def train(name='x'): return globals()[name]\n").unknown
    assert not of_cell("SIZE = 1\ndef train(): return globals()['SIZE']\n").unknown


def test_names_that_a_cell_looks_up_by_text_count() -> None:
    for call in ("globals()['SIZE']", "globals().get('SIZE')", "eval('SIZE + 1')"):
        before, after = (of_cell(f"SIZE = {n}\ndef train(): return {call}\n") for n in (1, 2))
        assert before.digest != after.digest


@pytest.mark.parametrize(
    "call",
    ["TABLE.query('a > @LOW').a.sum()", "TABLE.query(TEXT).a.sum()", "pd.eval('LOW + 1')",
     "duckdb.sql('SELECT sum(a) FROM TABLE WHERE a > 2').fetchall()"],
)  # fmt: skip
def test_names_in_the_text_of_a_query_count(project: Path, call: str) -> None:
    cell = (
        "import duckdb\nimport pandas as pd\nLOW = 1\nTEXT = 'a > @LOW'\n"
        "TABLE = pd.DataFrame({'a': [1, 2, 3, LOW]})\n"
    )
    body = f"return {call}\n"
    before = of_cell(f"{cell}def train(): {body}")
    assert of_cell(f"{cell}def train(): {body}".replace("LOW = 1", "LOW = 2")).digest != (
        before.digest
    )
    files = {"farm.py": f"{cell}def pick(_): {body}"}
    was, now = around(project, files, CALL, "LOW = 1", "LOW = 2")
    assert was.digest != now.digest


def test_what_a_weak_reference_leads_to_counts() -> None:
    for kept in (
        "weakref.ref(NET)",
        "weakref.WeakValueDictionary(a=NET)",
        "weakref.WeakKeyDictionary({NET: NET.size})",
    ):
        cell = (
            "import weakref\nclass Net: pass\nNET = Net()\nNET.size = 1\n"
            f"KEPT = {kept}\ndef train(): return KEPT\n"
        )
        assert of_cell(cell).digest != of_cell(cell.replace("size = 1", "size = 2")).digest


@pytest.mark.parametrize(
    ("files", "old", "new"),
    [
        (
            {"farm.py": "from typing import get_type_hints\ndef pick(n: int) -> None:\n"
             "    return get_type_hints(pick)\n"},
            "n: int", "n: str",
        ),
        (
            {"farm.py": "import functools\n@functools.singledispatch\ndef size(x): return 1\n"
             "@size.register\ndef _(x: int): return 2\ndef pick(n): return size(3)\n"},
            "x: int", "x: float",
        ),
        (
            {"farm.py": "import dataclasses\n@dataclasses.dataclass\nclass Plan:\n"
             "    a: int = 1\ndef pick(n): return dataclasses.fields(Plan)[0].type\n"},
            "a: int", "a: float",
        ),
    ],
)  # fmt: skip
def test_annotations_count_where_something_reads_them(
    project: Path, files: dict[str, str], old: str, new: str
) -> None:
    before, after = around(project, files, CALL, old, new)
    assert before.digest != after.digest


def test_annotations_that_a_cell_reads_count() -> None:
    cell = "def size(x: int): return x\ndef train(): return size.__annotations__\n"
    assert of_cell(cell).digest != of_cell(cell.replace("int", "str")).digest
    unread = "def size(x: int): return x\ndef train(): return size(1)\n"
    assert of_cell(unread).digest == of_cell(unread.replace("int", "str")).digest


def test_the_docstring_of_a_class_inside_a_function_does_not_count() -> None:
    cell = "def train():\n    class Net:\n        size = 1\n    return Net\n"
    documented = cell.replace("class Net:\n", 'class Net:\n        """A net."""\n')
    assert of_cell(cell).digest == of_cell(documented).digest


# -- paths ---------------------------------------------------------------------------------------


def seen(edit: Callable[[str], object], look: Callable[[], Identity]) -> bool:
    """Whether an edit of what is on disk is seen."""
    edit("1")
    before = look()
    assert before.digest == look().digest
    assert not before.unknown
    edit("2")
    return look().digest != before.digest


@pytest.mark.parametrize(
    "data",
    ["tiles", "tiles/", {"root": "tiles"}, ["tiles"], Path("tiles"), "tiles/*.csv", "t*/**/*.csv",
     b"tiles/a.csv", {"file": b"tiles/a.csv"}, "weights", "linked", Path("linked")],
    ids=str,
)  # fmt: skip
def test_data_that_name_files_count_by_what_is_in_them(project: Path, data: object) -> None:
    written(project, {"tiles/a.csv": "", "linked/readme": "", "weights": ""})
    (project / "linked" / "part").symlink_to(project / "tiles")
    (project / "tiles" / "back").symlink_to(project)  # a circle

    def edit(text: str) -> None:
        written(project, {"tiles/a.csv": text, "weights": text})

    assert seen(edit, lambda: identify(data, "data"))


@pytest.mark.parametrize(
    "body",
    ["os.path.join('tiles', 'a.csv')", "Path('tiles') / 'a.csv'", "f'tiles/{NAME}.csv'",
     "ROOT + '/a.csv'", "HERE / 'tiles' / 'a.csv'", "Path(ROOT) / NAME"],
)  # fmt: skip
def test_paths_that_code_puts_together_are_followed(project: Path, body: str) -> None:
    cell = (
        "import os\nfrom pathlib import Path\nNAME = 'a'\nROOT = 'tiles'\nHERE = Path.cwd()\n"
        f"def train(): return open({body}).read()\n"
    )
    (project / "tiles").mkdir()
    assert seen((project / "tiles" / "a.csv").write_text, lambda: of_cell(cell))


@pytest.mark.parametrize(
    "body",
    ["PLACE.with_name('a.csv')", "PLACE.with_suffix('.csv')", "PLACE.with_stem('b')",
     "PLACE.parent / 'a.csv'", "os.path.join(os.path.dirname(PLACE), 'a.csv')",
     "Path('tiles/a.img').with_suffix('.csv')", "PLACE.parents[1] / 'tiles' / 'a.csv'"],
)  # fmt: skip
def test_what_lies_beside_a_named_file_is_followed(project: Path, body: str) -> None:
    cell = (
        "import os\nfrom pathlib import Path\nPLACE = Path('tiles/a.img')\n"
        f"def train(): return open({body}).read()\n"
    )
    (project / "tiles").mkdir()

    def edit(text: str) -> None:
        (project / "tiles" / "a.csv").write_text(text)
        (project / "tiles" / "b.img").write_text(text)

    assert seen(edit, lambda: of_cell(cell))


@pytest.mark.parametrize(
    ("named", "part"),
    [("fields.shp", "fields.dbf"), ("fields.SHP", "fields.DBF"), ("fields.shp", "fields.prj"),
     ("scene.img", "scene.hdr"), ("scene.bsq", "scene.bsq.hdr"), ("scene.tif", "scene.tfw"),
     ("all.vrt", "tile.tif"), ("outer.vrt", "tile.tif")],
)  # fmt: skip
def test_files_that_a_file_is_not_read_without_count(project: Path, named: str, part: str) -> None:
    (project / "tiles").mkdir()
    for name in (named, part):
        (project / "tiles" / name).write_text("1")
    source = "<SourceFilename relativeToVRT='1'>{}</SourceFilename>"
    written(project / "tiles", {"all.vrt": source.format("tile.tif") + source.format("all.vrt"),
                                "outer.vrt": source.format("all.vrt")})  # fmt: skip
    cell = f"import rasterio\ndef train(): return rasterio.open('tiles/{named}')\n"
    assert seen((project / "tiles" / part).write_text, lambda: of_cell(cell))
    assert not seen((project / "tiles" / "other.dbf").write_text, lambda: of_cell(cell))


def test_what_code_writes_does_not_count(project: Path) -> None:
    cell = (
        "import os\nfrom pathlib import Path\ndef train():\n    os.makedirs('runs/new')\n"
        "    Path('runs/old').mkdir()\n    open('log.txt', 'w').write('x')\n"
    )
    written(project, {"runs/new/a": "1", "runs/old/a": "1", "log.txt": "1"})
    before = of_cell(cell)
    written(project, {"runs/new/a": "2", "runs/old/a": "2", "log.txt": "2"})
    assert of_cell(cell).digest == before.digest


@pytest.mark.parametrize(
    "text",
    [
        "\"SELECT * FROM 'tiles/a.csv'\"", "\"FROM read_csv('tiles/a.csv', header=true)\"",
        "\"SELECT * FROM 'a.csv'\"", "library.run('cat a.csv')",
        "'cat tiles/a.csv | wc -l'", "'tiles/%s.csv' % 'a'", "'tiles/{}.csv'.format('a')",
        "'zip://tiles/a.csv!b.tif'", "'/vsizip/tiles/a.csv/b.tif'", "'NETCDF:tiles/a.csv:ndvi'",
        "'NETCDF:\"tiles/a.csv\":ndvi'", "b'tiles/a.csv'", "'file:tiles/a.csv'",
    ],
)  # fmt: skip
def test_files_that_stand_inside_texts_count(project: Path, text: str) -> None:
    cell = f"def train(library=None): return library.sql({text})\n"

    def edit(content: str) -> None:
        written(project, {"tiles/a.csv": content, "a.csv": content})

    edit("")

    assert seen(edit, lambda: of_cell(cell))
    written(project, {"farm.py": f"def pick(library): return library.sql({text})\n"})
    forget()
    assert seen(edit, lambda: of_cell(CALL))


@pytest.mark.parametrize(
    "cell",
    [
        "def train(root='tiles'): return read(root)\n",
        "def train(*, root='tiles'): return read(root)\n",
        "def made(root): return lambda: read(root)\ntrain = made('tiles')\n",
        "import functools\ntrain = functools.partial(read, root='tiles')\n",
        "class Place:\n    root = 'tiles'\ndef train(): return read(Place.root)\n",
        "def go(): return read(go.root)\ngo.root = 'tiles'\ndef train(): return go()\n",
        "ROOT = 'tiles'\ndef train(): return read(ROOT)\n",
    ],
)
def test_a_folder_is_seen_wherever_its_bare_name_is_kept(project: Path, cell: str) -> None:
    cell = f"import os\ndef read(root): return os.listdir(root)\n{cell}"
    (project / "tiles").mkdir()
    assert seen((project / "tiles" / "a.csv").write_text, lambda: of_cell(cell))
    # A word that happens to be one stays a word.
    for name in ("small", "large"):
        (project / name).mkdir()
    small, large = (of_cell(cell.replace("tiles", name)) for name in ("small", "large"))
    assert small.digest != large.digest


def test_a_file_that_a_message_names_is_not_read(project: Path) -> None:
    cell = "def train(x=1):\n    return x or print('see README.md and ./runs, or /* all */')\n"
    written(project, {"README.md": "1", "runs/a": "1"})
    before = of_cell(cell)
    written(project, {"README.md": "2", "runs/a": "2"})
    assert of_cell(cell).digest == before.digest


def test_a_text_that_begins_with_what_is_filled_in_is_not_all_that_is_here(project: Path) -> None:
    cell = "def train(root='', name=''): return open('{}/{}'.format(root, name)).read()\n"
    written(project, {"runs/a.log": "1"})
    before = of_cell(cell)
    written(project, {"runs/a.log": "2"})
    assert of_cell(cell).digest == before.digest


@pytest.mark.parametrize("text", ["~/tiles/a.csv", "$FIELDS/a.csv", "${FIELDS}/*.csv"])
def test_home_and_variables_in_paths_are_filled_in(
    project: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HOME", str(project))
    monkeypatch.setenv("FIELDS", str(project / "tiles"))
    written(project, {"tiles/a.csv": ""})
    cell = f"import os\ndef train(): return open(os.path.expandvars('{text}')).read()\n"
    assert seen((project / "tiles" / "a.csv").write_text, lambda: of_cell(cell))


@pytest.mark.parametrize(
    "given", ["file://{}/tiles/a.csv", "zip://{}/tiles/a.csv!b", "/vsizip/{}/tiles/a.csv/b.tif"]
)
def test_archives_and_addresses_of_files_here_count_as_settings(project: Path, given: str) -> None:
    written(project, {"tiles/a.csv": ""})
    data = {"source": given.format(project)}
    assert seen(
        lambda text: written(project, {"tiles/a.csv": text}), lambda: identify(data, "data")
    )


@pytest.mark.parametrize(
    "body",
    [
        "return to_samples('tiles/a.csv')",
        "return saved('tiles/a.csv')",
        "return dump_of('tiles/a.csv')",
        "file = open('tiles/a.csv', 'a+'); file.seek(0); return file.read()",
        "import zarr; return zarr.open('tiles/a.csv', 'a')",
        "import terrain; return terrain.to_array('tiles/a.csv')",
    ],
)
def test_what_reads_counts_though_its_name_sounds_like_writing(project: Path, body: str) -> None:
    cell = (
        "def to_samples(path): return open(path).read()\nsaved = dump_of = to_samples\n"
        f"def train(): {body}\n"
    )
    files = {"farm.py": f"{cell}def pick(_): return train()\n"}

    def edit(text: str) -> None:
        written(project, {"tiles/a.csv": text})

    assert seen(edit, lambda: of_cell(cell))
    written(project, files)
    assert seen(edit, lambda: of_cell(CALL))


@pytest.mark.parametrize(
    "body",
    ["joblib.dump(NET, 'net.bin')", "pickle.dump(NET, open('net.bin', 'wb'))",
     "joblib.dump(NET.copy(), 'net.bin', compress=3)",
     "Path('net.bin').open('w').write('x')", "np.savez(open('net.bin', 'wb'), a=len(NET))",
     "np.save(Path('net.bin'), NET)", "np.save(Path('.') / 'net.bin', NET)",
     "np.save(OUT / 'net.bin', NET)", "np.save(os.path.join('.', 'net.bin'), NET)",
     "joblib.dump(NET, Path('net.bin'))", "open(Path('net.bin'), 'w').write('x')",
     "with open(OUT / 'net.bin', 'wb') as file: pickle.dump(NET, file)",
     "(Path('out') / 'net.bin').write_text('x')", "OUT.joinpath('net.bin').open('w').write('x')"],
)  # fmt: skip
def test_a_model_that_a_trial_writes_is_no_data_of_the_next(project: Path, body: str) -> None:
    cell = (
        "import os, pickle\nfrom pathlib import Path\nimport joblib\nimport numpy as np\n"
        f"OUT = Path('out')\nNET = {{'size': 1}}\ndef train():\n    {body}\n    return 1\n"
    )
    files = {"farm.py": f"{cell}def pick(_): return train()\n"}
    written(project, files if "OUT" not in body else {"farm.py": "def pick(_): return 1\n"})
    forget()
    before = of_cell(cell), of_cell(CALL)
    written(project, {"net.bin": "1", "out/net.bin": "1"})
    assert (of_cell(cell), of_cell(CALL)) == before


@pytest.mark.parametrize(
    "body",
    ["save(OUT)", "dump('net.bin')", "NET.save_report(OUT)", "NET.write_all('net.bin')",
     "Net.save_report(NET, OUT)"],
)  # fmt: skip
def test_what_a_function_of_the_user_s_reads_counts_whatever_it_is_called(
    project: Path, body: str
) -> None:
    cell = (
        "import numpy as np\nfrom pathlib import Path\nOUT = Path('net.bin')\n"
        "def save(path): return np.loadtxt(path)\n"
        "def dump(path):\n    with open(path) as file: return file.read()\n"
        "class Net:\n    def save_report(self, path): return path.read_text()\n"
        "    @staticmethod\n    def write_all(path): return open(path, 'rb').read()\n"
        f"NET = Net()\ndef train():\n    return {body}\n"
    )
    written(project, {"farm.py": f"{cell}def pick(_): return train()\n", "net.bin": "1"})
    forget()
    edit = (project / "net.bin").write_text
    assert seen(edit, lambda: of_cell(cell))
    assert seen(edit, lambda: of_cell(CALL))
    # One that writes alone stays a writer.
    mute = cell.replace("np.loadtxt(path)", "np.savetxt(path, [1])")
    mute = mute.replace("open(path)", "open(path, 'w')").replace("file.read()", "file.name")
    if "NET" not in body:
        assert not seen(edit, lambda: of_cell(mute))


@pytest.mark.parametrize(
    "form", ["partial(get)", "timed(get)", "timed(partial(get))", "Get()", "Get().get", "Get.also"]
)
def test_what_reads_counts_in_every_form_of_a_function(project: Path, form: str) -> None:
    cell = (
        "from functools import partial\ndef get(path): return open(path).read()\n"
        "def timed(f): return lambda *given: f(*given)\n"
        "class Get:\n    def __call__(self, path): return open(path).read()\n"
        "    def get(self, path): return open(path).read()\n    also = timed(partial(get, None))\n"
        f"save = {form}\ndef train(): return save('net.bin')\n"
    )
    edit = (project / "net.bin").write_text
    assert seen(edit, lambda: of_cell(cell))
    assert not seen(edit, lambda: of_cell(cell.replace("(path).read()", "(path, 'w')")))


@pytest.mark.parametrize(
    "body",
    ["np.save(np.loadtxt('net.bin'), 'x')", "joblib.dump(open('net.bin').read(), 'y.bin')",
     "np.save(path := Path('net.bin'), 1), np.load(path)", "np.loadtxt(OUT), np.save(OUT, 1)",
     "Path('x.txt').write_text(Path('net.bin').read_text())"],
)  # fmt: skip
def test_what_is_read_for_what_is_written_counts(project: Path, body: str) -> None:
    cell = (
        "import joblib\nimport numpy as np\nfrom pathlib import Path\nOUT = Path('net.bin')\n"
        f"def train(): return {body}\n"
    )
    assert seen((project / "net.bin").write_text, lambda: of_cell(cell))


def test_text_that_happens_to_be_a_folder_is_no_path_where_nothing_reads(project: Path) -> None:
    cell = "TABLE = {'tiles': 1}\ndef train(): return TABLE['tiles']\n"
    written(project, {"tiles/a.csv": "1"})
    before = of_cell(cell)
    written(project, {"tiles/a.csv": "2"})
    assert of_cell(cell).digest == before.digest


def test_a_folder_where_everything_is_is_asked_about(project: Path) -> None:
    written(project, {"ours/eolab.toml": ""})
    for place in (Path.cwd(), str(Path.cwd()), Path.home(), ".", Path("ours"), "ours/", "**/*.csv"):
        assert "give the folder or files" in identify(place, "data").unknown[0], place
        assert identify({"root": place}, "data").unknown


def test_the_environment_counts_where_it_is_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(project, {"farm.py": "import os\ndef pick(_): return os.environ['FARM_SIZE']\n"})
    forget()
    cells = [
        "import os\ndef train(): return os.environ['FARM_SIZE']\n",
        "from os import getenv\ndef train(): return getenv('FARM_SIZE', '1')\n",
        "import os\nNAME = 'FARM_SIZE'\ndef train(): return os.environ.get(NAME)\n",
        CALL,
    ]
    found = []
    for size in (None, "many hectares", "few hectares"):
        if size is not None:
            monkeypatch.setenv("FARM_SIZE", size)
        found.append([of_cell(cell).digest for cell in cells])
    assert all(len(set(digests)) == 3 for digests in zip(*found, strict=True))
    assert os.environ["FARM_SIZE"] not in str(of_cell(cells[0]).parts)


def test_the_content_of_many_files_is_not_half_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(project, {f"tiles/{n}.csv": "1" for n in range(5)})
    monkeypatch.setattr(paths, "MOST_FILES", 3)
    assert identify("tiles", "data").unknown
    assert identify("tiles/*.csv", "data").unknown


# -- objects -------------------------------------------------------------------------------------

OBJECTS = {
    "a method of an own array": (
        "import numpy as np\nclass Tile(np.ndarray):\n    def go(self): return 1\n"
        "X = np.zeros(2).view(Tile)\n"
    ),
    "an attribute of an own array": (
        "import numpy as np\nclass Tile(np.ndarray): pass\n"
        "X = np.zeros(2).view(Tile)\nX.scale = 1\n"
    ),
    "a method of an own table": (
        "import pandas as pd\nclass Plots(pd.DataFrame):\n    def go(self): return 1\n"
        "X = Plots({'a': [3]})\n"
    ),
    "metadata of an own table": (
        "import pandas as pd\nclass Plots(pd.DataFrame):\n    _metadata = ['scale']\n"
        "X = Plots({'a': [3]})\nX.scale = 1\n"
    ),
    "an attribute of a partial": "import functools\nX = functools.partial(int)\nX.size = 1\n",
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_what_objects_of_the_user_carry_is_seen(kind: str) -> None:
    cell = OBJECTS[kind] + "def train(): return X\n"
    edited = cell.replace("return 1", "return 2").replace("= 1", "= 2")
    assert of_cell(cell).digest != of_cell(edited).digest
    assert of_cell(cell).digest == of_cell(cell).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pd.date_range("2024", periods=2, freq="YS"), pd.DatetimeIndex(["2024", "2025"])),
        (
            xr.Dataset({"a": ("x", [1]), "b": ("x", [2])}),
            xr.Dataset({"b": ("x", [2]), "a": ("x", [1])}),
        ),
        (memoryview(np.ones(2, "f4")), memoryview(np.ones(2, "f4")).cast("B")),
    ],
)
def test_order_step_and_form_are_seen(one: object, other: object) -> None:
    assert identify(one, "data").digest != identify(other, "data").digest


def test_arrays_that_would_have_to_be_computed_are_asked_about() -> None:
    lazy = dask.array.zeros((4, 4), chunks=2)
    assert identify(lazy, "X").unknown == ("X (Array)",)
    assert identify({"x": xr.DataArray(lazy, dims=("y", "x"))}, "data").unknown
    assert not identify(lazy.compute(), "X").unknown


def test_a_function_that_only_its_address_tells_apart_is_asked_about() -> None:
    assert identify(np.frompyfunc(lambda x: x, 1, 1), "STEP").unknown
    assert not identify(np.add, "STEP").unknown


# -- ways that nobody would list -------------------------------------------------------------------

ODD = {
    "a variable in small letters": (
        "import os\nos.environ['farm_size'] = '1'\ndef train(): return os.environ['farm_size']\n",
        "'1'",
        "'2'",
    ),
    "variables that begin alike": (
        (
            "import os\nos.environ['FARM_SIZE'] = '1'\ndef train():\n"
            "    return {k: v for k, v in os.environ.items() if k.startswith('FARM_')}\n"
        ),
        "'1'",
        "'2'",
    ),
    "the backend of Keras": (
        (
            "import os\nos.environ['KERAS_BACKEND'] = 'numpy'\ndef train():\n    import keras\n"
            "    return keras.backend.backend()\n"
        ),
        "'numpy'",
        "'jax'",
    ),
    "the time zone": (
        (
            "import os\nimport time\nos.environ['TZ'] = 'UTC'\n"
            "def train(): return time.localtime(0).tm_hour\n"
        ),
        "'UTC'",
        "'Asia/Tokyo'",
    ),
    "a docstring": ("def f():\n    'two'\ndef train(): return f.__doc__\n", "two", "three"),
    "a docstring of a class": (
        "class A:\n    'two'\ndef train(): return A.__doc__\n",
        "two",
        "three",
    ),
    "the name of a function": (
        "def two(): pass\nF = two\ndef train(): return F.__name__\n",
        "two",
        "three",
    ),
    "a class registered with an abstract one": (
        (
            "import abc\nclass Base(abc.ABC): pass\nclass A: pass\nclass B: pass\n"
            "Base.register(A)\ndef train(): return isinstance(A(), Base)\n"
        ),
        "register(A)",
        "register(B)",
    ),
    "the order of an array in memory": (
        (
            "import numpy as np\nX = np.array([[1.0, 2.0], [3.0, 4.0]], order='C')\n"
            "def train(): return X.ravel(order='K')[1]\n"
        ),
        "'C'",
        "'F'",
    ),
    "the encoding of a variable": (
        (
            "import xarray as xr\nX = xr.DataArray([1.0])\nX.encoding['scale_factor'] = 0.1\n"
            "def train(): return X.to_netcdf()\n"
        ),
        "0.1",
        "0.2",
    ),
    "labels that may not be there twice": (
        (
            "import pandas as pd\nX = pd.DataFrame({'a': [1]})\n"
            "X = X.set_flags(allows_duplicate_labels=True)\ndef train(): return pd.concat([X, X])\n"
        ),
        "True",
        "False",
    ),
    "the state of a decorator": (
        (
            "class By:\n    def __init__(self, k): self.k = k\n"
            "    def __call__(self, f): return self\n@By(2)\ndef h(): pass\n"
            "def train(): return h.k\n"
        ),
        "By(2)",
        "By(3)",
    ),
    "a keyword of a subclass": (
        (
            "class Base:\n    def __init_subclass__(cls, k): cls.k = k\n"
            "class A(Base, k=2): pass\ndef train(): return A.k\n"
        ),
        "k=2",
        "k=3",
    ),
    "the order of an enumeration": (
        (
            "import enum\nclass Kind(enum.Enum):\n    A = enum.auto()\n    B = enum.auto()\n"
            "def train(): return Kind.A.value\n"
        ),
        "A = enum.auto()\n    B",
        "B = enum.auto()\n    A",
    ),
    "the order of fields": (
        (
            "from dataclasses import dataclass\n@dataclass(order=True)\nclass C:\n    a: int\n"
            "    b: int\ndef train(): return max(C(1, 5), C(2, 1)).b\n"
        ),
        "a: int\n    b",
        "b: int\n    a",
    ),
    "a default of a named tuple": (
        (
            "from typing import NamedTuple\nclass P(NamedTuple):\n    a: int = 2\n"
            "def train(): return P().a\n"
        ),
        "= 2",
        "= 3",
    ),
    "a generator of random numbers": (
        "import numpy as np\nR = np.random.default_rng(2)\ndef train(): return R.random()\n",
        "(2)",
        "(3)",
    ),
    "the place of an iterator": (
        "X = iter([2, 3])\nnext(X)\ndef train(): return next(X)\n",
        "next(X)\ndef",
        "X\ndef",
    ),
    "a transformer between grids": (
        (
            "import pyproj\nX = pyproj.Transformer.from_crs(4326, 32633, always_xy=True)\n"
            "def train(): return X.transform(15, 50)\n"
        ),
        "always_xy=True",
        "always_xy=False",
    ),
    "a setting of an estimator": (
        (
            "from sklearn.preprocessing import StandardScaler\n"
            "X = StandardScaler().set_output(transform='default')\ndef train(): return X\n"
        ),
        "'default'",
        "'pandas'",
    ),
}


@pytest.mark.parametrize("way", ODD)
def test_what_decides_a_result_by_an_odd_way_is_seen(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    cell, old, new = ODD[way]
    assert old in cell
    before, after = of_cell(cell), of_cell(cell.replace(old, new))
    assert before.digest == of_cell(cell).digest
    assert before.digest != after.digest
    assert not before.unknown


@pytest.mark.parametrize(
    "code",
    ["'of the farm'\ndef pick(n): return __doc__\n", "def pick(n):\n    'of the farm'\n",
     "# of the farm\ndef pick(n): return pick.__name__\n"],
)  # fmt: skip
def test_docstrings_of_modules_count_where_something_reads_them(project: Path, code: str) -> None:
    cell = "import farm\ndef train(): return farm.pick('a'), {}\n"
    for read, counts in (("farm.pick.__doc__", True), ("1", "__doc__" in code)):
        files = {"farm.py": code}
        before, after = around(project, files, cell.format(read), "of the farm", "of a farm")
        assert (before.digest != after.digest) == counts


@pytest.mark.parametrize(
    "body",
    ["pkgutil.get_data('crops.farm', 'a.txt')", "resources.files('crops.farm').joinpath('a.txt')",
     "resources.files(crops.farm).joinpath('a.txt').read_text()",
     "[f.read_text() for f in resources.files('crops.farm').iterdir()]"],
)  # fmt: skip
def test_files_inside_a_package_count(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """Also where the package is not below the folder of the kernel."""
    written(project, {"code/crops/__init__.py": "", "code/crops/farm/__init__.py": "x = 1\n"})
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    importlib.invalidate_caches()
    cell = (
        "import pkgutil\nfrom importlib import resources\nimport crops.farm\n"
        f"def train(): return {body}\n"
    )
    place = project / "code/crops/farm/a.txt"
    assert seen(place.write_text, lambda: of_cell(cell))
    del sys.modules["crops.farm"], sys.modules["crops"]


def test_a_file_that_is_named_like_the_module_counts(project: Path) -> None:
    for made in ("Path(__file__).with_suffix('.json')", "__file__.replace('.py', '.json')"):
        code = f"from pathlib import Path\ndef pick(_): return open({made}).read()\n"
        written(project, {"farm.py": code})
        forget()
        assert seen((project / "farm.json").write_text, lambda: of_cell(CALL))


def test_what_only_a_run_reads_of_the_environment_is_asked_about(project: Path) -> None:
    cell = "import os\ndef train(name='x'): return os.environ[name]\n"
    assert "variables of the environment" in of_cell(cell).unknown[0]
    written(project, {"farm.py": "import os\ndef pick(n): return os.getenv(n)\n"})
    forget()
    assert "the environment that farm reads" in of_cell(CALL).unknown[0]


def test_the_order_of_data_in_memory_counts_where_the_function_sees_it() -> None:
    rows = np.arange(12.0).reshape(3, 4)
    columns = np.asfortranarray(rows)
    for call, sees in (("X.ravel('K')", True), ("X.strides", True), ("X.sum()", False)):
        layout = of_cell(f"def train(X): return {call}\n").layout
        assert layout == sees
        found = {identify({"X": x}, "data", layout=layout).digest for x in (rows, columns)}
        assert (len(found) == 2) == sees


# -- Keras ----------------------------------------------------------------------------------------

NET = "import keras\nX = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, 'relu', {})])\n"
KERAS = {
    "a compiled optimizer": NET.format("True, 'ones'")
    + "X.compile(keras.optimizers.SGD(1.0), loss='mse')\n",
    "a compiled loss": NET.format("True, 'ones'")
    + "def loss(a, b): return a * 1.0\nX.compile('sgd', loss=loss)\n",
    "a compiled metric": NET.format("True, 'ones'")
    + "def gain(a, b): return a * 1.0\nX.compile('sgd', loss='mse', metrics=[gain])\n",
    "an activation": "import keras\ndef act(x): return x * 1.0\nX = keras.layers.Dense(1, act)\n",
    "an initializer": (
        "import keras\nclass Ones(keras.initializers.Initializer):\n"
        "    def __call__(self, shape, dtype=None): return keras.ops.ones(shape) * 1.0\n"
        "    def get_config(self): return {}\nX = keras.layers.Dense(1, None, True, Ones())\n"
    ),
    "an attribute of a layer": (
        "import keras\nclass Scale(keras.layers.Layer): pass\nX = Scale()\nX.by = 1.0\n"
    ),
}


@pytest.mark.parametrize("kind", KERAS)
def test_what_a_network_was_made_and_compiled_with_is_seen(kind: str) -> None:
    cell = KERAS[kind] + "def train(): return X\n"
    assert of_cell(cell).digest == of_cell(cell).digest
    assert of_cell(cell).digest != of_cell(cell.replace("1.0", "2.0")).digest


# -- versions -------------------------------------------------------------------------------------


def test_version_2_sees_what_it_saw(project: Path) -> None:
    """Studies of then are compared by it: what it did not see changes nothing."""
    files, cell = HIDDEN["a decorator's table"]
    found = []
    for text in ("return 1", "return 2"):
        forget()
        written(project, {"farm.py": files["farm.py"].replace("return 1", text)})
        found.append(identify(edits.run_cell(cell), "train", version=2).digest)
    assert found[0] == found[1]
    assert found[0] != of_cell(cell).digest


def test_generated_edits_of_data_on_disk_are_all_seen(tmp_path: Path) -> None:
    pairs = edits.data_pairs(random.Random(4).randint(0, 99), tmp_path)
    for _, (kind, one, other) in zip(range(21), pairs, strict=False):
        before, after = identify(one, "data"), identify(other, "data")
        assert before.digest != after.digest, kind
        assert not before.unknown, kind
