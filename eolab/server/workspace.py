"""Which workspace the server shows."""

from __future__ import annotations

from dataclasses import dataclass

from eolab.settings import config as configuration
from eolab.settings.config import Config


@dataclass(frozen=True)
class Place:
    """How the workspace is found; small enough to be sent to the child process with each call.

    Attributes:
        named: The `EolabApp.workspace` setting: a folder or an `eolab.toml`; empty means look.
        root_dir: The folder that Jupyter Server serves, from which `eolab.toml` is looked for.
    """

    named: str
    root_dir: str

    def config(self) -> Config:
        """The configuration as it is now: an edited `eolab.toml` counts at once.

        Raises:
            ConfigError: The file that counts has a fault.
        """
        if self.named:
            return configuration.open_path(self.named)
        return configuration.find(self.root_dir or None)
