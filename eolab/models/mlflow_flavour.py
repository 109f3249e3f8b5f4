"""A registered model as MLflow's own tools open it, also where there is no eolab.

Beside the model's files stand ``MLmodel`` (signature, flavours), an input example, requirements and
``code/eolab_predicting.py``: the file by which eolab itself asks models, which needs NumPy only.
"""

from __future__ import annotations

import importlib.metadata
import json
import mmap
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.studies.client.fitted_model import CUSTOM_OBJECTS, FILES
from eolab.studies.worker import predicting

if TYPE_CHECKING:
    import numpy as np
    from mlflow.models import ModelSignature

ANSWERS = "answers.npz"  # as the child that refits writes it
CODE, LOADER = "code", "eolab_predicting"
EXAMPLE = "input_example.json"
LIBRARIES = {
    "keras": ("keras", "tensorflow", "tensorflow-cpu", "jax", "torch"),
    "torch": ("torch",),
    "sklearn": ("scikit-learn",),
}
NAMED = {
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
    "keras": "keras",
    "lightgbm": "lightgbm",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "statsmodels": "statsmodels",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "xgboost": "xgboost",
}
"""Modules that a pickle may name, and in which distribution they are."""


def write(folder: Path, document: Mapping[str, object]) -> None:
    """Make a registered model's folder an MLflow model.

    Args:
        folder: The folder, with `model.json` and the model's files.
        document: What `model.json` says.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    flavour = str(document["flavour"])
    (folder / CODE).mkdir(exist_ok=True)
    shutil.copyfile(predicting.__file__, folder / CODE / f"{LOADER}.py")
    requirements = _requirements(flavour, folder / FILES[flavour])
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    python = platform.python_version()
    environment = {"python": python, "dependencies": ["-r requirements.txt"]}
    _yaml(folder / "python_env.yaml", environment)
    conda = [f"python={python}", "pip", {"pip": requirements}]
    _yaml(folder / "conda.yaml", {"channels": ["conda-forge"], "dependencies": conda})

    samples = _samples(folder)
    model = Model(signature=_signature(document, samples))
    mlflow.pyfunc.add_to_model(
        model,
        loader_module=LOADER,
        code=CODE,
        data=".",
        conda_env="conda.yaml",
        python_env="python_env.yaml",
    )
    if flavour == "sklearn":
        model.add_flavor(
            "sklearn",
            pickled_model=FILES[flavour],
            sklearn_version=_version("scikit-learn"),
            serialization_format="cloudpickle",
            code=CODE,
        )
    if flavour == "keras":
        # MLflow looks for both files in `data`; `mlflow.tensorflow` opens own layers and losses.
        if (folder / CUSTOM_OBJECTS).is_file():
            shutil.copyfile(folder / CUSTOM_OBJECTS, folder / "custom_objects.cloudpickle")
        model.add_flavor(
            "keras",
            data=".",
            model_type="keras",
            keras_module="keras",
            keras_version=_version("keras"),
            save_format="keras",
            save_exported_model=False,
            code=CODE,
        )
    example = None if samples is None else _example(folder, document, samples)
    if example is not None:
        model.saved_input_example_info = example
    model.save(str(folder / "MLmodel"))


def _signature(document: Mapping[str, object], samples: np.ndarray | None) -> ModelSignature | None:
    """What goes in and comes out; None for a model whose features have no names or other types."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec

    columns, steps = _texts(document["columns"]), _texts(document["steps"])
    if not columns or document["frame"]:
        return None
    said = np.dtype(np.int64 if document["classes"] else np.float64)
    shape = (len(steps), len(columns)) if steps else ()
    if samples is not None and samples.ndim > 2:  # sequences, and arrays (n, h, w, f)
        shape = samples.shape[1:]
    inputs = (
        Schema([TensorSpec(np.dtype(np.float32), (-1, *shape))])
        if shape
        else Schema([ColSpec(DataType.double, name) for name in columns])
    )
    return ModelSignature(inputs=inputs, outputs=Schema([TensorSpec(said, (-1,))]))


def _samples(folder: Path) -> np.ndarray | None:
    """Some samples that the model learnt from; None where none were kept."""
    import numpy as np

    try:
        with np.load(folder / ANSWERS, allow_pickle=False) as file:
            samples: np.ndarray = file["example"]
    except (OSError, ValueError, KeyError):
        return None
    return samples


def _example(
    folder: Path, document: Mapping[str, object], samples: np.ndarray
) -> dict[str, object] | None:
    """Write the samples as an input example; what `MLmodel` says of them."""
    import numpy as np

    if samples.ndim == 2:
        table = {
            "columns": _texts(document["columns"]),
            "data": [[None if np.isnan(v) else float(v) for v in row] for row in samples],
        }
        (folder / EXAMPLE).write_text(json.dumps(table))
        return {"artifact_path": EXAMPLE, "type": "dataframe", "pandas_orient": "split"}
    if np.isnan(samples).any():  # a tensor has no way to say so in JSON
        return None
    (folder / EXAMPLE).write_text(json.dumps({"inputs": samples.tolist()}))
    return {"artifact_path": EXAMPLE, "type": "ndarray", "format": "tf-serving"}


def _requirements(flavour: str, file: Path) -> list[str]:
    names = ["mlflow-skinny", "cloudpickle", "numpy", "pandas", *LIBRARIES.get(flavour, ())]
    if flavour != "keras" and file.stat().st_size:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as m:
            names += [d for module, d in NAMED.items() if m.find(module.encode()) >= 0]
    names = list(dict.fromkeys(names))
    return [f"{name}=={version}" for name in names if (version := _version(name))]


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _yaml(path: Path, content: Mapping[str, object]) -> None:
    # JSON is YAML, and needs no library.
    path.write_text(json.dumps(content, indent=1) + "\n")


def _texts(value: object) -> Sequence[str]:
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []
