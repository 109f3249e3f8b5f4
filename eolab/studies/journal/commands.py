"""What can be asked of a study, and when: the one table of states and commands.

The library, the command line, the server and the panels all go by it. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from eolab.errors import InvalidInputError, nearest

StudyState: TypeAlias = Literal[
    "starting", "running", "waiting", "paused", "completed", "failed", "cancelled", "interrupted"
]
"""How a study stands; "interrupted": its process died, it can be resumed; "waiting": its disk is
full or cannot be written to, it goes on by itself once it can."""
TrialState: TypeAlias = Literal["queued", "running", "completed", "failed", "stopped"]
"""How a trial stands."""
Command: TypeAlias = Literal["pause", "resume", "cancel", "stop", "retry", "set"]
Number: TypeAlias = Literal["number", "trials", "workers"]


@dataclass(frozen=True)
class CommandRule:
    """When a command can be carried out.

    Attributes:
        states: States of the study in which it can.
        numbers: The whole numbers that it may carry; one of them at least where there are any.
        trials: For a command about one trial, states of the trial in which it can.
        done: What has happened to that trial then.
    """

    states: frozenset[StudyState]
    numbers: tuple[Number, ...] = ()
    trials: frozenset[TrialState] = frozenset()
    done: str = ""


COMMANDS: dict[Command, CommandRule] = {
    "pause": CommandRule(frozenset({"starting", "running", "waiting"})),
    "resume": CommandRule(frozenset({"paused", "interrupted", "cancelled"})),
    "cancel": CommandRule(frozenset({"starting", "running", "waiting", "paused", "interrupted"})),
    "stop": CommandRule(
        frozenset({"running", "paused"}), ("number",), frozenset({"queued", "running"}), "stopped"
    ),
    "retry": CommandRule(
        frozenset({"running", "paused", "completed", "failed", "cancelled", "interrupted"}),
        ("number",),
        frozenset({"failed", "stopped"}),
        "retried",
    ),
    "set": CommandRule(frozenset(get_args(StudyState)), ("trials", "workers")),
}
"""Each command with when it can be carried out."""


def find_command(name: object) -> Command:
    """The command of this name.

    Raises:
        InvalidInputError: There is none.
    """
    for command in COMMANDS:
        if command == name:
            return command
    raise InvalidInputError(f"no command {name!r}", nearest(str(name), tuple(COMMANDS), "commands"))


def allowed_commands(state: str) -> list[Command]:
    """The commands that a study in this state takes.

    Example:
        >>> from eolab.studies.journal.commands import allowed_commands
        >>> allowed_commands("paused")
        ['resume', 'cancel', 'stop', 'retry', 'set']
    """
    return [command for command, rule in COMMANDS.items() if state in rule.states]


def trial_commands(state: str) -> dict[TrialState, list[Command]]:
    """The commands about one trial that a study in this state takes, by the trial's state.

    Args:
        state: The study's state.

    Example:
        >>> from eolab.studies.journal.commands import trial_commands
        >>> trial_commands("completed")["failed"]
        ['retry']
    """
    allowed = allowed_commands(state)
    return {
        trial: [command for command in allowed if trial in COMMANDS[command].trials]
        for trial in get_args(TrialState)
    }
