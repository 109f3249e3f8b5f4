"""TensorFlow's start-up notes stay out of cells and logs, and nothing else does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eolab.studies.worker.tensorflow_notes import without_notes

NOTE = "I0000 00:00:1795789671.751566    8837 port.cc:153] oneDNN custom operations are on.\n"
ABSL = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
ERROR = "E0000 00:00:1795789671.751566    8837 cuda_dnn.cc:8579] Unable to register cuDNN\n"
WARNING = "W0000 00:00:1795789671.751566    8837 gpu_device.cc:2341] Cannot dlopen some GPU libs\n"


def test_notes_are_left_out_and_all_else_passes(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)  # of a test before

    def write(text: str) -> None:
        # As a C++ library does: past sys.stderr.
        subprocess.run(["printf", "%s", text], stdout=2, check=True)

    with without_notes():
        for text in (ABSL, NOTE, ERROR, WARNING, "Import went on\n", "no end of line"):
            write(text)
    write(NOTE)  # what comes later is nobody's business here
    assert capfd.readouterr().err == (
        ERROR + WARNING + "Import went on\n" + "no end of line" + NOTE
    )


def test_what_is_raised_inside_passes_and_the_output_is_given_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ImportError, match="no such library"), without_notes():
        raise ImportError("no such library")
    print("after", file=sys.stderr)
    assert capfd.readouterr().err == "after\n"


def test_the_real_library_is_imported_without_a_word() -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    root = Path(__file__).parents[3]
    code = (
        "from eolab.studies.worker.tensorflow_notes import without_notes\n"
        "with without_notes(): import keras"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
