"""A key store in a file, where the machine's own is not to be touched: keyring's own interface."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FileKeys(KeyringBackend):
    """Named by PYTHON_KEYRING_BACKEND, its file by KEYS_FILE; `{"locked": true}` there locks it."""

    priority = 1

    def _read(self) -> dict:
        path = Path(os.environ["KEYS_FILE"])
        kept = json.loads(path.read_text()) if path.exists() else {}
        if kept.get("locked"):
            raise KeyringLocked("nobody unlocked it")
        return kept

    def _write(self, kept: dict) -> None:
        Path(os.environ["KEYS_FILE"]).write_text(json.dumps(kept))

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._read(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        kept = self._read()
        if kept.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("there is none")
        self._write(kept)
