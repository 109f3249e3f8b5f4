"""Arrays, tables, tensors and models by their content.

No library is imported here: whoever made such a value has loaded its library.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from eolab.studies.identity.atoms import atom, pack

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pandas as pd
    import pyarrow as pa

Inner: TypeAlias = "list[tuple[str, object]]"
CHUNK = 1 << 24
_CONFIGURED = pack(b"configured")


class NotInMemory(Exception):
    """An array that is not in memory, so that its content is not known."""


def special(value: object, *, counted: bool = False) -> tuple[bytes, Inner] | None:
    """What a value of a known library holds: a label, and its parts by what follows its name.

    Args:
        value: A value.
        counted: Whether names that Keras counted up (SGD_1) count, as in version 2.

    Raises:
        NotInMemory: Its content would have to be computed first.
    """
    for library in {kind.__module__.partition(".")[0] for kind in type(value).__mro__}:
        read = _READERS.get(library)
        if read is not None:
            found = read(value)
            if found is not None:
                return found if counted else _without_counted_name(value, found)
    return None


def _without_counted_name(value: object, found: tuple[bytes, Inner]) -> tuple[bytes, Inner]:
    label, inner = found
    if label != _CONFIGURED:
        return found
    named = getattr(value, "name", None)
    if not isinstance(named, str) or not _counts_up(type(value).__name__, named):
        return found
    clean = [(suffix, {k: v for k, v in part.items() if k != "name"}
              if isinstance(part, dict) else part) for suffix, part in inner]  # fmt: skip
    return label, clean


def besides(value: object) -> Inner:
    """What decides a result in such a value besides its content, which version 2 did not see.

    That is the class of a user's own array or table with its attributes, the order and step where
    those are not in the content, how values are written to a file, and with what a model was
    compiled.
    """
    inner: Inner = []
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(value, keras.Layer):
        return _besides_layer(value, keras)
    if type(value).__module__.partition(".")[0] not in _READERS:
        own = {k: v for k, v in getattr(value, "__dict__", {}).items() if not k.startswith("_")}
        declared = getattr(value, "_metadata", ())
        own |= {k: getattr(value, k, None) for k in declared if isinstance(k, str)}
        inner += [(" class", type(value)), *((f".{k}", own[k]) for k in sorted(own))]
    pandas, xarray = sys.modules.get("pandas"), sys.modules.get("xarray")
    if pandas is not None and isinstance(value, pandas.DatetimeIndex | pandas.TimedeltaIndex):
        inner.append((" freq", value.freqstr))
    flags = getattr(value, "flags", None)  # an array has such, too
    if not getattr(flags, "allows_duplicate_labels", True):
        inner.append((" flags", "no duplicate labels"))
    if xarray is not None and isinstance(value, xarray.Dataset):
        inner.append((" order", list(map(str, value.data_vars))))
    if xarray is not None and isinstance(value, xarray.Variable):
        said = {k: value.encoding[k] for k in _ENCODED if k in value.encoding}
        inner += [(" encoding", said)] if said else []
    return inner


def by_columns(value: object) -> bool:
    """Whether an array stands column by column in memory, as it does at a worker, too."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray) or value.ndim < 2:
        return False
    return bool(value.flags.f_contiguous and not value.flags.c_contiguous)


_ENCODED = ("_FillValue", "add_offset", "calendar", "dtype", "missing_value", "scale_factor",
            "units")  # fmt: skip
"""What of an encoding decides which values a file will hold, not how it is laid out."""


# -- NumPy ---------------------------------------------------------------------------------


def _numpy(value: object) -> tuple[bytes, Inner] | None:
    import numpy as np

    kind = type(value).__qualname__.encode()
    if isinstance(value, np.ma.MaskedArray):
        parts = (value.data, np.ma.getmaskarray(value), value.fill_value)
        return pack(b"masked"), [(suffix, p) for suffix, p in zip(("", " mask", " fill"), parts,
                                                                  strict=True)]  # fmt: skip
    if isinstance(value, np.ndarray):
        head = pack(b"array" if type(value) in (np.ndarray, np.memmap) else kind,
                    _dtype(value.dtype), repr(value.shape).encode())  # fmt: skip
        if value.dtype.hasobject or value.dtype.kind == "T":
            return head, [("", value.ravel().tolist())]
        return pack(head, hashed(value)), []
    if isinstance(value, np.generic):
        if value.dtype.hasobject:
            return pack(kind), [("", value.item())]
        return pack(b"scalar", _dtype(value.dtype), value.tobytes()), []
    if isinstance(value, np.dtype):
        return pack(b"dtype", _dtype(value)), []
    return None


def _dtype(dtype: np.dtype[np.generic]) -> bytes:
    return repr(dtype.descr if dtype.names else dtype.str).encode()


def hashed(array: np.ndarray) -> bytes:
    """The BLAKE3 hash of the values of an array in the order of its axes."""
    import numpy as np
    from blake3 import blake3

    hasher = blake3()
    flat = array.view(np.ndarray)
    if flat.flags.c_contiguous:
        pieces = [flat]
    else:
        flat = flat.reshape(flat.shape or (1,))
        rows = max(1, CHUNK // max(1, flat[:1].nbytes))
        pieces = [flat[i : i + rows] for i in range(0, len(flat), rows)]
    for piece in pieces:
        plain = np.ascontiguousarray(piece).reshape(-1)
        if plain.size and plain.itemsize:
            hasher.update(plain.view(np.uint8).data)
    return bytes(hasher.digest())


# -- pandas, GeoPandas, PyArrow ---------------------------------------------------------------


def _pandas(value: object) -> tuple[bytes, Inner] | None:
    import pandas as pd

    kind = type(value).__qualname__.encode()
    if isinstance(value, pd.DataFrame):
        inner: Inner = [(" columns", value.columns), (" index", value.index)]
        inner += [
            (f"[{name!r}]", _column(value.iloc[:, i])) for i, name in enumerate(value.columns)
        ]
        return pack(kind), [*inner, (" attrs", dict(value.attrs))]
    if isinstance(value, pd.Series):
        return pack(kind), [
            ("", _column(value)), (" index", value.index), (" name", value.name),
            (" attrs", dict(value.attrs)),
        ]  # fmt: skip
    if isinstance(value, pd.RangeIndex):
        parts = (value.start, value.stop, value.step)
        return pack(b"range", repr(parts).encode()), [(" name", value.name)]
    if isinstance(value, pd.MultiIndex):
        levels = [value.get_level_values(i) for i in range(value.nlevels)]
        return pack(b"levels"), [(" level", level) for level in levels]
    if isinstance(value, pd.Index):
        return pack(b"index"), [("", _column(value)), (" name", value.name)]
    return None


def _column(column: pd.Series | pd.Index) -> object:
    """The values of a column as arrays and plain values."""
    import numpy as np
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return column.to_numpy()
    array = column.array
    name = str(dtype)
    if isinstance(array, pd.Categorical):
        return name, array.codes, array.categories, array.ordered
    if isinstance(dtype, pd.DatetimeTZDtype):
        return name, column.to_numpy(dtype="datetime64[ns]").view("int64")
    if name == "geometry":
        import shapely

        return name, str(getattr(array, "crs", None)), shapely.to_wkb(np.asarray(array)).tolist()
    missing = np.asarray(array.isna())
    filled = [None if absent else item for item, absent in zip(array, missing, strict=True)]
    return name, filled


def _pyarrow(value: object) -> tuple[bytes, Inner] | None:
    import pyarrow as pa

    table: pa.Table | None = None
    if isinstance(value, pa.Table):
        table = value
    elif isinstance(value, pa.RecordBatch):
        table = pa.Table.from_batches([value])
    elif isinstance(value, pa.ChunkedArray | pa.Array):
        table = pa.table({"": value})
    if table is None:
        return None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return pack(type(value).__qualname__.encode()), [("", sink.getvalue().to_pybytes())]


# -- xarray, dask ------------------------------------------------------------------------------


def _xarray(value: object) -> tuple[bytes, Inner] | None:
    import xarray as xr

    kind = type(value).__qualname__.encode()
    if isinstance(value, xr.DataArray):
        coords = {str(k): v.variable for k, v in sorted(value.coords.items(), key=str)}
        return pack(kind, atom(str(value.name)) or b""), [("", value.variable), (" coords", coords)]
    if isinstance(value, xr.Dataset):
        inner: Inner = [(f"[{n!r}]", value.variables[n]) for n in sorted(value.variables, key=str)]
        names = sorted(map(str, value.data_vars))
        return pack(kind, repr(names).encode()), [*inner, (" attrs", dict(value.attrs))]
    if isinstance(value, xr.Variable):
        if value.chunks is not None:
            raise NotInMemory
        return pack(b"variable", repr(value.dims).encode()), [
            ("", value.to_numpy()), (" attrs", dict(value.attrs)),
        ]  # fmt: skip
    return None


def _dask(value: object) -> tuple[bytes, Inner] | None:
    raise NotInMemory(type(value).__qualname__)


# -- PyTorch, TensorFlow, Keras -----------------------------------------------------------------


def _torch(value: object) -> tuple[bytes, Inner] | None:
    torch = sys.modules["torch"]
    if isinstance(value, torch.Tensor) and value.layout == torch.strided:
        plain = value.detach().cpu().contiguous().reshape(-1)
        head = (str(value.dtype), tuple(value.shape), bool(value.requires_grad),
                type(value).__qualname__)  # fmt: skip
        if value.dtype == torch.bool or value.is_complex() or not plain.numel():
            return pack(repr(head).encode()), [("", plain.resolve_conj().numpy())]
        return pack(repr(head).encode()), [("", plain.view(torch.uint8).numpy())]
    if isinstance(value, torch.Generator):
        return pack(b"generator"), [("", value.get_state())]
    return None


def _tensorflow(value: object) -> tuple[bytes, Inner] | None:
    as_numpy = getattr(value, "numpy", None)
    if callable(as_numpy):
        return pack(type(value).__qualname__.encode()), [("", as_numpy())]
    function = getattr(value, "python_function", None)
    return None if function is None else (pack(b"function"), [("", function)])


def _keras(value: object) -> tuple[bytes, Inner] | None:
    keras = sys.modules.get("keras")
    if keras is None or isinstance(value, type):
        return None
    if isinstance(value, keras.Variable):
        return pack(b"variable"), [("", keras.ops.convert_to_numpy(value))]
    if isinstance(value, keras.Layer):
        return _layer(value)
    if callable(getattr(value, "get_config", None)):
        return _CONFIGURED, [("", type(value)), (" config", _config(value, {}))]
    return None


def _layer(layer: keras.Layer) -> tuple[bytes, Inner]:
    """A layer or model: its class, its settings, its layers and weights.

    Names that Keras counted up (dense_3) depend on what the process made before, and say nothing.
    """
    inner: Inner = [(" class", type(layer))]
    layers = list(getattr(layer, "layers", ()) or ())
    counted = {each.name: f"layer {i}" for i, each in enumerate(layers) if _is_counted(each)}
    if _is_counted(layer):
        counted[layer.name] = "layer"
    inner += [(f".{counted.get(each.name, each.name)}", each) for each in layers]
    inner.append((" config", _config(layer, counted)))
    if type(layer).__name__ == "Lambda":
        inner.append((" function", getattr(layer, "function", None)))
    if not layers:
        keras = sys.modules["keras"]
        inner += [
            (f" weight {i}", keras.ops.convert_to_numpy(w)) for i, w in enumerate(layer.weights)
        ]
    return pack(b"layer", b"%d" % len(layers)), inner


_OF_RUNS = frozenset({"name", "built", "input_spec", "stop_training", "train_function",
                      "test_function", "predict_function", "history", "optimizer",
                      "inputs", "outputs"})  # fmt: skip
"""Attributes of a layer that are read otherwise, or say what was done with it before."""


def _besides_layer(layer: keras.Layer, library: types.ModuleType) -> Inner:
    """What the attributes of a layer hold, and with what a model was compiled."""
    inner: Inner = []
    own = vars(layer)
    for key in sorted(own):
        value = own[key]
        if key.startswith("_") or key in _OF_RUNS or isinstance(value, str):
            continue
        kind = type(value)
        settings = callable(getattr(value, "get_config", None))
        plain = atom(value) is not None or isinstance(value, types.FunctionType | tuple)
        ours = kind.__module__.partition(".")[0] not in {"builtins", *_READERS}
        if (plain or settings or ours) and not isinstance(
            value, library.Layer | library.Variable | library.DTypePolicy
        ):
            inner.append((f".{key}", value))
    texts = {k: v for k, v in own.items() if isinstance(v, str) and not k.startswith("_")}
    inner.append((" texts", {k: texts[k] for k in sorted(texts) if k not in _OF_RUNS}))
    optimizer = getattr(layer, "optimizer", None)
    if optimizer is not None:
        state = [library.ops.convert_to_numpy(v) for v in getattr(optimizer, "variables", ())]
        inner += [(" optimizer", optimizer), (" optimizer state", state)]
    for key in ("_user_metrics", "_user_weighted_metrics"):
        inner.append((" metrics", getattr(getattr(layer, "_compile_metrics", None), key, None)))
    return inner


def _is_counted(layer: keras.Layer) -> bool:
    return _counts_up(type(layer).__name__, layer.name)


def _counts_up(kind: str, name: str) -> bool:
    """Whether Keras made a name from that of a class."""
    stem = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", kind)
    stem = re.sub(r"([a-z])([A-Z])", r"\1_\2", stem).lower()
    return re.fullmatch(re.escape(stem) + r"(_\d+)?", name) is not None


def _config(value: Any, counted: Mapping[str, str]) -> object:
    """The settings of a layer without those of the layers inside it, and without pickled code."""
    try:
        config = value.get_config()
    except Exception:  # the author wrote none
        own = vars(value).items()
        return {k: v for k, v in own if not k.startswith("_") and atom(v) is not None}
    inside = "layers" in config and bool(getattr(value, "layers", None))

    def clean(part: object, *, layer: bool = False) -> object:
        if isinstance(part, dict):
            if part.get("class_name") == "__lambda__":
                return "a lambda"
            return {
                key: "" if layer and key == "config" else clean(inner)
                for key, inner in part.items()
                if key not in {"build_config", "compile_config", "shared_object_id"}
            }
        if isinstance(part, list | tuple):
            return [clean(each) for each in part]
        return counted.get(part, part) if isinstance(part, str) else part

    return {
        key: [clean(each, layer=True) for each in part]
        if inside and key == "layers"
        else clean(part)
        for key, part in sorted(config.items())
    }


_READERS: Mapping[str, Callable[[object], tuple[bytes, Inner] | None]] = {
    "numpy": _numpy, "pandas": _pandas, "geopandas": _pandas, "pyarrow": _pyarrow,
    "xarray": _xarray, "dask": _dask, "torch": _torch, "tensorflow": _tensorflow, "keras": _keras,
}  # fmt: skip
