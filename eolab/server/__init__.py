"""The server half of the panels: authenticated REST snapshots of the workspace, and change events.

Stays light: what needs a heavy import runs in one child process (`eolab.server.helper.process`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.server.app import EolabApp

__all__ = ["EolabApp"]


def __getattr__(name: str) -> object:
    # The child process imports this package too and must not pay for Jupyter Server.
    if name == "EolabApp":
        from eolab.server.app import EolabApp

        return EolabApp
    raise AttributeError(f"module 'eolab.server' has no attribute {name!r}")
