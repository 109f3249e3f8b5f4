"""What `study.json` says: the description of a study, written once, read by everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict

from eolab.clusters.base import ClusterSpec


class Digests(TypedDict):
    """Hashes of what a study must be to be the same one.

    Attributes:
        version: How they were made; studies without it were made under version 1.
        code: Of the train function.
        space: Of the hyperparameters.
        data: Of the data.
        options: Of metric, direction, seed, sampler and pruner.
    """

    version: NotRequired[int]
    code: str
    space: str
    data: str
    options: str


class DataNote(TypedDict, total=False):
    """What a study says about its data."""

    kind: str
    source: dict[str, object]


class StudySpec(TypedDict):
    """A study as `study.json` describes it.

    Attributes:
        format: Version of the file.
        name: Name in the workspace.
        kind: "tune" or "ablation".
        metric: What is optimised.
        direction: Whether large or small values are good.
        space: Each hyperparameter as `Parameter.to_json` has it.
        plan: The strategy as `Plan.to_json` has it.
        stop: The stop rule as `Rule.to_json` has it; None without one.
        seed: Everything random follows from it.
        trials: How many trials were asked for.
        workers: How many at a time.
        timeout: Seconds after which no further trial is started, or None.
        target: Value at which the study has found enough, or None.
        trial_timeout: Seconds that an attempt may take, or None.
        retries: How often a lost attempt is started again.
        lease: Seconds without a word after which a worker counts as lost.
        memory: Bytes that a trial may take, or None.
        tracking: Whether MLflow gets a copy.
        mailbox: Folder or URL of the mailbox; empty without one.
        cluster: Where the workers run.
        modules: Libraries that executors must have.
        function: The train function's name.
        source: Its text, where that is known.
        imports: Libraries that are loaded before the first trial is seeded.
        data: What the data is and where it comes from.
        digest: What must be equal for it to be the same study.
        created: Seconds since the epoch.
        workspace: The workspace's folder.
        config: Its `eolab.toml`, or None.
        python: Interpreter of the study and of its local workers.
        library: Folder that holds the package eolab.
        sys_path: Where its modules are looked for.
        cwd: Its working directory.
        environment: Variables of its workers.
    """

    format: int
    name: str
    kind: str
    metric: str
    direction: Literal["maximize", "minimize"]
    space: list[dict[str, object]]
    plan: Mapping[str, object]
    stop: object
    seed: int
    trials: int
    workers: int
    timeout: float | None
    target: float | None
    trial_timeout: float | None
    retries: int
    lease: float
    memory: NotRequired[float | None]
    tracking: bool
    mailbox: NotRequired[str]
    cluster: ClusterSpec
    modules: NotRequired[list[str]]
    function: str
    source: str
    imports: list[str]
    data: DataNote
    digest: Digests
    created: float
    workspace: str
    config: str | None
    python: str
    library: str
    sys_path: list[str]
    cwd: str
    environment: dict[str, str]
