"""What the models panel gets, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypedDict

from eolab.records.lineage import RefJson
from eolab.studies.journal.answers import Params


class ModelVersionJson(TypedDict):
    version: int
    aliases: Sequence[str]
    created: float
    description: str
    flavour: str
    study: str | None
    params: Annotated[Mapping[str, object], Params]
    metrics: Mapping[str, float | None]
    lineage: Sequence[RefJson]
    """What it was made from, nearest first."""


class RegisteredModelJson(TypedDict):
    name: str
    versions: Sequence[ModelVersionJson]


class ModelsJson(TypedDict):
    models: Sequence[RegisteredModelJson]
