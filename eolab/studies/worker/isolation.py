"""What each trial gets is its own: function and data are unpickled afresh, large arrays are mapped.

The bytes of large arrays lie once in memory that has no name. A trial sees them through a private
mapping: reading costs no copy, and a page that it writes becomes its own, so neither the next trial
nor another one sees the change. Where the arrays take more than a quarter of the worker's memory
they are read-only instead, since a trial that wrote them all would need as much again.

State inside imported modules stays with the process: a trial can change what the next one finds
there.

This file travels with `trial_process.py` to machines without eolab: standard library only.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from typing import Any

LARGE = 1 << 16
"""Arrays of fewer bytes than this travel inside the pickle."""
ALIGNED = 64
MOST_WRITABLE = 0.25
"""Share of the worker's memory up to which a trial may write to what it was given."""


class Fresh:
    """A function and data that every trial gets as if it were the first.

    Args:
        function: The pickled function.
        data: The pickled data; None without.
        memory: Bytes of memory that this worker may use.
    """

    def __init__(self, function: bytes, data: bytes | None, memory: float) -> None:
        import cloudpickle

        self._function = function
        self._content = data
        self._places: list[tuple[int, int]] = []
        self._file = -1
        self._size = 0
        cloudpickle.loads(function)  # what cannot be loaded says so now
        if data is not None:
            loaded = cloudpickle.loads(data)
            open_on_worker = getattr(loaded, "open_on_worker", None)
            self._hold(open_on_worker() if open_on_worker is not None else loaded,
                       must=open_on_worker is not None)  # fmt: skip
        self.writable = self._size <= MOST_WRITABLE * memory

    def make(self) -> tuple[Callable[..., object], object]:
        """The function and the data, as nobody has touched them."""
        import cloudpickle

        # Classes of a notebook are kept by cloudpickle, and with them what a trial did to them.
        known = getattr(cloudpickle.cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_ID", None)
        if known is not None:
            known.clear()
        function: Callable[..., object] = cloudpickle.loads(self._function)
        if self._content is None:
            return function, None
        return function, pickle.loads(self._content, buffers=self._mapped())

    def _mapped(self) -> list[memoryview]:
        if not self._places:
            return []
        access = mmap.ACCESS_COPY if self.writable else mmap.ACCESS_READ
        view = memoryview(mmap.mmap(self._file, self._size, access=access))
        return [view[start : start + size] for start, size in self._places]

    def _hold(self, data: object, *, must: bool) -> None:
        """Pickle the data without its large arrays, and lay those into memory of their own."""
        buffers: list[pickle.PickleBuffer] = []

        def aside(buffer: pickle.PickleBuffer) -> bool:
            if buffer.raw().nbytes < LARGE:
                return True
            buffers.append(buffer)
            return False

        stream = io.BytesIO()
        try:
            _pickler(stream, aside).dump(data)
        except Exception:  # it came by a pickle, and cannot be pickled again
            if must:
                raise
            return
        self._content = stream.getvalue()
        if not buffers:
            return
        self._file = _unnamed_file()
        for buffer in buffers:
            content = buffer.raw()
            self._places.append((self._size, content.nbytes))
            _write(self._file, content, self._size)
            self._size += -(-content.nbytes // ALIGNED) * ALIGNED
        os.truncate(self._file, self._size)


def _pickler(stream: io.BytesIO, aside: Callable[[pickle.PickleBuffer], bool]) -> pickle.Pickler:
    """cloudpickle's, to which a tensor is an array with another name."""
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> object:
            torch = sys.modules.get("torch")
            if (
                torch is not None
                and type(obj) is getattr(torch, "Tensor", None)
                and obj.layout == torch.strided
                and obj.device.type == "cpu"
                and obj.is_contiguous()
                and not obj.requires_grad
                and obj.numel()
                and not obj.is_complex()
            ):
                flat = obj.reshape(-1).view(torch.uint8).numpy()
                return _tensor, (flat, str(obj.dtype), tuple(obj.shape))
            return super().reducer_override(obj)

    pickler: pickle.Pickler = Pickler(stream, protocol=5, buffer_callback=aside)
    return pickler


def _tensor(flat: object, dtype: str, shape: tuple[int, ...]) -> object:
    import torch

    return torch.from_numpy(flat).view(getattr(torch, dtype.rpartition(".")[2])).reshape(shape)


def _unnamed_file() -> int:
    """A file in memory where there are such, else one on disk that nobody else can open."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("eolab-data")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _write(handle: int, content: memoryview, at: int) -> None:
    done = 0
    while done < content.nbytes:
        done += os.pwrite(handle, content[done : done + (1 << 30)], at + done)


def worker_memory(limit: float, workers: int) -> float:
    """Bytes that one worker may use: its limit, else its share of the machine's memory."""
    if limit:
        return limit
    try:
        total = float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return float("inf")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                total = min(total, float(file.read()))
        except (OSError, ValueError):
            continue
    return total / max(1, workers)
