"""What a study, its workers and their children say to each other: JSON objects by their keys.

Standard library only; read by type checkers alone, so that a worker runs without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypedDict

Value: TypeAlias = float | int | str | bool | None
Ending: TypeAlias = Literal["completed", "failed", "stopped", "crashed", "abandoned"]
"""How an attempt ended; a crashed or abandoned one is tried again."""


class Address(TypedDict, total=False):
    """A way to the study: ``url`` or ``mailbox``, and the ``token``."""

    url: str
    mailbox: str
    token: str


class ChildSettings(TypedDict, total=False):
    """How the process that runs the function is started.

    Attributes:
        function: File with the pickled function.
        data: File with the pickled data; empty without.
        sys_path: Where its modules are looked for.
        imports: Libraries that are loaded before the first trial is seeded.
        environment: Variables.
        cwd: Working directory; empty for the worker's own.
        memory: Bytes that a trial may take; 0 or None for any.
        workers: How many workers share the machine.
    """

    function: str
    data: str
    sys_path: list[str]
    imports: list[str]
    environment: dict[str, str]
    cwd: str
    memory: float | None
    workers: int


class WorkerSettings(ChildSettings, total=False):
    """What a worker is told when it starts.

    Attributes:
        address: The way to the study.
        addresses: All ways, the best first; a launcher finds the one that works.
        worker: The worker's name.
        count: How many workers the study wants.
        modules: Libraries that must be installed where it runs.
        metric: What is optimised.
        scratch: Folder of the checkpoints.
        beat: Seconds between two signs of life.
        patience: Seconds to wait for a study that does not answer.
        bring_home: Whether checkpoints travel, since study and worker share no files.
    """

    address: Address
    addresses: list[Address]
    worker: str
    count: int
    modules: list[str]
    metric: str
    scratch: str
    beat: float
    patience: float
    bring_home: bool


class RefitOrder(TypedDict):
    """Where a refit writes its model, and on which parts it is fitted."""

    folder: str
    on: str


class TrialOrder(TypedDict, total=False):
    """A trial on its way to a worker and its child; ``checkpoint`` is a number, then a folder.

    With ``look`` the child tries the model that the function keeps, and its end has a ``note``.
    """

    op: str
    n: int
    attempt: int
    params: dict[str, Value]
    budget: float | None
    seed: int
    checkpoint: int | str
    timeout: float | None
    wait: bool
    metric: str
    refit: RefitOrder
    look: bool


class Point(TypedDict, total=False):
    """A point of the learning curves: step, metrics (None where not finite) and time."""

    step: float
    m: Mapping[str, float | None]
    t: float


class Result(TypedDict, total=False):
    """The end of an attempt, as it goes to the study."""

    worker: str
    n: int
    attempt: int
    state: Ending
    value: float | None
    m: dict[str, float]
    error: str
    crashed: bool
    reports: list[Point]
    log: str
    note: str
    next: bool


class ChildMessage(TypedDict, total=False):
    """What a child says: ``ready``, ``report``, ``done`` or ``broken`` as ``op``."""

    op: str
    step: float
    m: Mapping[str, float | None]
    t: float
    state: Ending
    value: float | None
    error: str
    note: str
    flavour: str
    file: str
    about: Mapping[str, object]


class Answer(TypedDict, total=False):
    """What the study answers to a worker."""

    pong: bool
    job: TrialOrder
    leave: bool
    accepted: bool
    abandon: bool
    stop: bool
    grace: float
    data: str
    error: str


class Decision(Answer, total=False):
    """An answer with the number of reports that it answers."""

    answers: int


class Sealed(TypedDict, total=False):
    """A message in a mailbox: a request (``op``, ``body``, ``until``) or its answer."""

    id: str
    op: str
    body: Answer
    until: float
    status: int
    error: str
